#!/bin/sh
# Puts the packages of a lock file, checked by their hashes, and this project itself into .venv.
set -eu
lock=$1
. scripts/find-python.sh

if ! [ -x .venv/bin/python ]; then
    "$python" -m venv .venv 2>/dev/null || {
        rm -rf .venv
        sh scripts/packages.sh python3-venv || exit 1
        "$python" -m venv .venv
    }
fi
sh scripts/try-again.sh .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
sh scripts/try-again.sh .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r "$lock"
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
.venv/bin/pybabel -q compile -d fablab/web/translations
