#!/bin/sh
# Collects the sentences of the code and the templates, and updates the French catalogue with the new ones.
set -eu
mkdir -p build
.venv/bin/pybabel -q extract -F babel.cfg --no-wrap --sort-by-file --no-location -k say -k N_ -k lazy_gettext -k pgettext:1c,2 -o build/messages.pot .
.venv/bin/pybabel -q update -i build/messages.pot -d fablab/web/translations -l fr --no-wrap --ignore-obsolete --no-fuzzy-matching
