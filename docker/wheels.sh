#!/usr/bin/env bash
# Fetch what the build installs with this machine's pip, where pip inside a build cannot reach the index itself:
# behind a proxy with a certificate of its own, say, or offline later. The build then asks nobody else.
#
#   docker/wheels.sh [BASE_IMAGE]      python:3.13-slim; the wheels are those for its Python
#
# Needs a Docker Engine and a pip of 22.3 or newer. Undo it with: git clean -fX docker/pip
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -e docker/pip/pip.conf ] && ! grep -q '^find-links = /pip$' docker/pip/pip.conf; then
    echo "error: docker/pip/pip.conf is your own: move it away first, then repeat" >&2
    exit 73
fi

base=${1:-python:3.13-slim}
facts='import platform, sys; print("%d.%d" % sys.version_info[:2], platform.machine())'
read -r version machine < <(docker run --rm --network none --entrypoint python3 "$base" -c "$facts")

platforms=()
for tag in manylinux_2_28 manylinux_2_27 manylinux_2_17 manylinux2014; do
    platforms+=(--platform "${tag}_$machine")
done
rm -f docker/pip/*.whl
"${PYTHON:-python3}" -m pip download --quiet --dest docker/pip --require-hashes --no-deps --only-binary :all: \
    --python-version "$version" "${platforms[@]}" --requirement requirements/lab.txt
printf '[install]\nno-index = true\nfind-links = /pip\n' >docker/pip/pip.conf
echo "docker/pip: $(find docker/pip -name '*.whl' | wc -l) wheels for Python $version, $machine" >&2
