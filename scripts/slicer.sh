#!/bin/sh
# Makes sure that there is a PrusaSlicer. Without one everything but the slicing works, and says so.
[ -n "${FABLAB_SLICER:-}" ] && exit 0
command -v prusa-slicer >/dev/null 2>&1 || command -v PrusaSlicer >/dev/null 2>&1 && exit 0
sh scripts/packages.sh prusa-slicer
