"""The web application of the chaos, with a clock that may be wrong: `FABLAB_CHAOS_CLOCK` names its file."""

import os
from pathlib import Path

from fablab.web import create_app
from tests.chaos import clock

clock.follow(Path(os.environ["FABLAB_CHAOS_CLOCK"]))
app = create_app()
