"""Read by every Python that starts with this folder on its path: the program takes its time from a wound clock."""

import os
from pathlib import Path

from tests.chaos import clock

clock.follow(Path(os.environ["FABLAB_CHAOS_CLOCK"]))
