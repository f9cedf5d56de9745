#!/bin/sh
# Installs OctoPrint into .octoprint: it pins versions that we do not, so it gets an environment of its own.
set -eu
. scripts/find-python.sh
[ -x .octoprint/bin/python ] || "$python" -m venv .octoprint
sh scripts/try-again.sh .octoprint/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
sh scripts/try-again.sh .octoprint/bin/uv pip install --quiet --python .octoprint/bin/python --require-hashes -r requirements/octoprint.txt
