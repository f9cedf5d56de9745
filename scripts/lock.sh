#!/bin/sh
# Resolves the dependencies and writes the lock files: versions and hashes, no addresses.
set -eu
compile="env UV_CUSTOM_COMPILE_COMMAND='make lock' .venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url"
eval "$compile requirements/bootstrap.in -o requirements/bootstrap.txt"
eval "$compile requirements/octoprint.in -o requirements/octoprint.txt"
eval "$compile pyproject.toml --extra embedded -o requirements/run.txt"
eval "$compile pyproject.toml --extra embedded --group dev -c requirements/run.txt -o requirements/dev.txt"
