#!/usr/bin/env bash
# Installs the Debian packages that a build needs, those that are missing and nothing else.
#
# With --checks also what the checks of CI need beyond the tests (clang 19: format, tidy,
# sanitizers, fuzzing). Uses sudo when not root. Where nothing is missing, it changes nothing.

set -euo pipefail

readonly BUILD_PACKAGES=(
  build-essential cmake ninja-build ccache git ca-certificates python3 python3-pip
  nlohmann-json3-dev libcli11-dev libfmt-dev libexpected-dev zlib1g-dev libssl-dev
  libgtest-dev libgmock-dev)
readonly CHECK_PACKAGES=(
  clang-19 clang-tidy-19 clang-tools-19 clang-format-19 llvm-19 libclang-rt-19-dev)

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo > /dev/null; then
    sudo "$@"
  else
    echo "setup-debian: not root and no sudo here; run as root: $*" >&2
    return 1
  fi
}

missing_of() {
  local package
  for package in "$@"; do
    dpkg-query --show --showformat='${Status}\n' "$package" 2> /dev/null |
      grep -q '^install ok installed$' || echo "$package"
  done
}

main() {
  local wanted=("${BUILD_PACKAGES[@]}") missing
  case ${1:-} in
    "") ;;
    --checks) wanted+=("${CHECK_PACKAGES[@]}") ;;
    *)
      echo "Usage: scripts/setup-debian.sh [--checks]" >&2
      exit 2
      ;;
  esac
  if ! command -v dpkg-query > /dev/null; then
    echo "setup-debian: this is not a Debian system. Install what these packages hold:" >&2
    printf '  %s\n' "${wanted[@]}" >&2
    exit 1
  fi
  mapfile -t missing < <(missing_of "${wanted[@]}")
  if ((${#missing[@]} == 0)); then
    echo "Debian packages: all ${#wanted[@]} are installed."
    return
  fi
  echo "Debian packages: installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get update --quiet=2
  as_root apt-get install --quiet=2 --yes --no-install-recommends "${missing[@]}"
}

main "$@"
