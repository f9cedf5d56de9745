# Sets $python to a Python that is new enough, or says in one sentence what to do.
python=
for candidate in python3.13 python3.12 python3.11 python3; do
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    sh scripts/packages.sh python3 && python=python3
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
        echo "Fablab needs Python 3.11 or newer (Debian 12, Ubuntu 24.04 or later): install it, then run make again." >&2
        exit 1
    }
fi
