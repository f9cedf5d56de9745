#!/bin/sh
# Installs the real parts the tests run against: PrusaSlicer, Redis, PostgreSQL, Chromium; and a compiler for OctoPrint.
set -eu
needed=
[ -n "${FABLAB_SLICER:-}" ] || command -v prusa-slicer >/dev/null 2>&1 || needed="$needed prusa-slicer"
[ -x /usr/bin/redis-server ] || [ -x /usr/bin/valkey-server ] || needed="$needed redis-server"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || needed="$needed postgresql"
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || needed="$needed chromium"
[ -x .octoprint/bin/octoprint ] || command -v cc >/dev/null 2>&1 || needed="$needed gcc libc6-dev"
[ -x .octoprint/bin/octoprint ] || python3 -c 'import sysconfig, pathlib, sys; sys.exit(not (pathlib.Path(sysconfig.get_paths()["include"]) / "Python.h").exists())' || needed="$needed python3-dev"
sh scripts/printing-press.sh
# shellcheck disable=SC2086
[ -z "$needed" ] || sh scripts/packages.sh $needed
