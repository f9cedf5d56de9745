"""One real OctoPrint for all tests of a worker."""

import pytest

from tests.printers.octoprint_server import octoprint_server


@pytest.fixture(scope="session")
def octoprint(tmp_path_factory):
    with octoprint_server(tmp_path_factory.mktemp("octoprint")) as server:
        yield server
