"""A process that serves many OctoPrint look-alikes, each on a port of its own.

`python -m benchmarks.lookalikes COUNT ENDING`: the first ENDING of them end their first print soon. Prints the ports,
then obeys lines of JSON: `{"freeze": [3, 4]}`, `{"die": [5]}`; `{"log": true}` prints what happened when.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys

from tests.watching.lookalike import LookAlike

WHOLE_PRINT_S = (1800.0, 5400.0)
ENDS_AFTER_S = (35.0, 60.0)


async def serve(count: int, ending: int) -> None:
    """Serve until standard input ends."""
    chance = random.Random(4)
    fleet = [LookAlike(duration_s=chance.uniform(*WHOLE_PRINT_S)) for _ in range(count)]
    for place, printer in enumerate(fleet):
        printer.first_progress = chance.uniform(0, 0.9)
        if place < ending:
            printer.first_progress = 1 - chance.uniform(*ENDS_AFTER_S) / printer.duration_s
        await printer.open()
    _say([printer.port for printer in fleet])
    while line := await asyncio.to_thread(sys.stdin.readline):
        wish = json.loads(line)
        for place in wish.get("freeze", ()):
            fleet[place].freeze()
        for place in wish.get("die", ()):
            fleet[place].die()
        if "log" in wish:
            _say([printer.log for printer in fleet])


def _say(what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
