#!/usr/bin/env bash
# Is our C++ formatted as .clang-format says? With --fix, formats it.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=(--dry-run --Werror)
[[ ${1:-} != --fix ]] || mode=(-i)
mapfile -t files < <(find plumbline bench tests cmake \( -name '*.h' -o -name '*.cc' \) | sort)
clang-format-19 "${mode[@]}" "${files[@]}"
echo "clang-format: ${#files[@]} files"
