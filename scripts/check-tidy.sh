#!/usr/bin/env bash
# Runs clang-tidy (the list in .clang-tidy) over our sources but the tests, by
# build/compile_commands.json.
# Usage: scripts/check-tidy.sh [FILE ...]; without files, every such source that is built.
# A file that passed is not looked at again until it, a header of ours, or .clang-tidy changes.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly BUILD_DIR=${PLUMBLINE_BUILD_DIR:-build}
export STAMPS=$BUILD_DIR/clang-tidy BUILD_DIR
mkdir -p "$STAMPS"

HEADERS=$(find plumbline bench tests -name '*.h' -print0 | LC_ALL=C sort -z |
  xargs -0 cat .clang-tidy | sha256sum)
export HEADERS

tidy_one() {
  local file=$1 key
  key=$( (echo "$HEADERS" && sha256sum "$file") | sha256sum)
  key=$STAMPS/${key%% *}
  [[ ! -e $key ]] || return 0
  clang-tidy-19 --quiet -p "$BUILD_DIR" --extra-arg=-Wno-unknown-warning-option \
    --extra-arg=-Wno-ignored-optimization-argument "$file" 2> "$key.err" || {
    cat "$key.err" >&2
    return 1
  }
  rm "$key.err"
  : > "$key"
}
export -f tidy_one

files=("$@")
if (($# == 0)); then
  mapfile -t files < <(python3 - "$BUILD_DIR/compile_commands.json" <<'END'
import json, os, sys

root = os.getcwd() + os.sep
ours = ("plumbline/", "bench/")
paths = {entry["file"] for entry in json.load(open(sys.argv[1]))}
names = sorted(path[len(root):] for path in paths if path.startswith(root))
print("\n".join(name for name in names if name.startswith(ours) and not name.endswith("_test.cc")))
END
  )
fi
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'tidy_one "$1"' tidy_one
echo "clang-tidy: ${#files[@]} files"
