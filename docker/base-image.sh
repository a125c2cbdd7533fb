#!/usr/bin/env bash
# Make a base image where no registry can be reached: a minimal Debian with python3, from Debian's mirror alone.
#
#   docker/base-image.sh [NAME [SUITE [MIRROR]]]      scale-model-base, trixie (Python 3.13), Debian's own mirror
#
# Needs a Docker Engine and mmdebstrap, or debootstrap (which must run as root).
# Then: BASE_IMAGE=scale-model-base docker compose up --build
set -euo pipefail

name=${1:-scale-model-base}
suite=${2:-trixie}
mirror=("${@:3:1}") # none: the tool's own default
packages=python3,python3-venv # venv brings the pip of the build; the venvs that are kept have none
nobody_reads=('doc/*' 'info/*' 'locale/*' 'man/*')

# A tar of the new root on stdout, everything else on stderr.
make_root() {
    if command -v mmdebstrap >/dev/null; then
        mmdebstrap --variant=minbase --include="$packages" \
            "${nobody_reads[@]/#/--dpkgopt=path-exclude=/usr/share/}" "$suite" - "${mirror[@]}"
    elif command -v debootstrap >/dev/null && [ "$(id -u)" = 0 ]; then
        tree=$(mktemp -d)
        trap 'rm -rf --one-file-system "$tree"' EXIT
        debootstrap --variant=minbase --include="$packages" "$suite" "$tree" "${mirror[@]}" >&2
        tar -C "$tree" --numeric-owner "${nobody_reads[@]/#/--exclude=./usr/share/}" \
            --exclude='./dev/*' --exclude='./var/cache/*' --exclude='./var/lib/apt/lists/*' -c .
    else
        echo "error: there is no mmdebstrap (nor debootstrap and root): apt install mmdebstrap, then repeat" >&2
        return 69
    fi
}

make_root | docker import --message "Debian $suite, minbase, with $packages" - "$name"
