"""One real OctoPrint for all tests of a worker, and the bench both drivers are tried on."""

import pytest

from tests.printers.bench import OctoPrintBench, SimulatedBench
from tests.printers.octoprint_server import octoprint_server


@pytest.fixture(scope="session")
def octoprint(tmp_path_factory):
    with octoprint_server(tmp_path_factory.mktemp("octoprint")) as server:
        yield server


@pytest.fixture(params=["simulated", "octoprint"])
def bench(request, tmp_path, monkeypatch):
    if request.param == "simulated":
        made = SimulatedBench(tmp_path)
    else:
        made = OctoPrintBench(request.getfixturevalue("octoprint"), tmp_path, monkeypatch)
    made.rest()
    yield made
    made.rest()
