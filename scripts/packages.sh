#!/bin/sh
# Installs Debian or Ubuntu packages when we may, or says in one sentence what to type.
set -eu
missing=
for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "Please install these by your system's package manager:$missing" >&2
    exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        echo "Please type once: sudo apt-get install$missing" >&2
        exit 1
    fi
fi
echo "Installing$missing …"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 || {
    sh scripts/try-again.sh $as_root apt-get update -qq
    sh scripts/try-again.sh $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
