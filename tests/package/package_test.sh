#!/usr/bin/env bash
# Installs the build into a fresh folder, moves that folder, and builds and runs a program against
# it: nothing of the source or build tree may be needed.
# Usage: package_test.sh BUILD_DIR BUILD_TYPE
set -euo pipefail

consumer=$(cd "$(dirname "$0")/consumer" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$1" --prefix "$work/first" > "$work/install.log"
mv "$work/first" "$work/moved"
"$work/moved/bin/plumbline" --version
cmake -S "$consumer" -B "$work/build" -G Ninja "-DCMAKE_BUILD_TYPE=$2" \
  "-DCMAKE_PREFIX_PATH=$work/moved"
cmake --build "$work/build"
"$work/build/consumer"
if grep -rnF -e "$1" "$work/moved/lib/cmake"; then
  echo "the installed package names the build folder" >&2
  exit 1
fi
