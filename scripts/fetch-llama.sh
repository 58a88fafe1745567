#!/usr/bin/env bash
# Puts llama.cpp's source, pinned by version and SHA-256, into the cache folder and prints where.
#
# The source comes from the Python source package that carries it, by package name, through pip and
# whatever package index pip is configured for. Nothing of that package is built or run. Run again,
# it finds the folder and does nothing. The folder appears complete or not at all.

set -euo pipefail

readonly LLAMA_VERSION=0.5.0-0c1e57098b
readonly PACKAGE=llama-cpp-python
readonly PACKAGE_VERSION=0.3.36
readonly SHA256=832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e
# What a build of the libraries, llama-server and the benchmarks reads; the rest (190 MB of models,
# documentation and media) stays in the archive.
readonly PARTS=(CMakeLists.txt LICENSE licenses cmake common ggml include scripts src tools vendor)

usage() {
  cat <<END
Usage: scripts/fetch-llama.sh [--to DIR] [--archive FILE]

  --to DIR        the folder to make (default: \$PLUMBLINE_CACHE/llama.cpp-$LLAMA_VERSION,
                  where PLUMBLINE_CACHE is ~/.cache/plumbline unless it is set)
  --archive FILE  an already downloaded $PACKAGE-$PACKAGE_VERSION source package, in place of pip

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 checksum differs.
END
}

fail() {
  local code=$1
  shift
  printf 'fetch-llama: %s\n' "$@" >&2
  exit "$code"
}

# pip asks a source package for its metadata before it hands the file over, and for that would
# fetch and run the package's build system. This stand-in for it (PEP 517) answers instead.
write_metadata_backend() {
  mkdir -p "$1/scikit_build_core"
  : > "$1/scikit_build_core/__init__.py"
  cat > "$1/scikit_build_core/build.py" <<END
import os


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    name = "llama_cpp_python-$PACKAGE_VERSION.dist-info"
    os.makedirs(os.path.join(metadata_directory, name))
    with open(os.path.join(metadata_directory, name, "METADATA"), "w") as out:
        out.write("Metadata-Version: 2.1\nName: $PACKAGE\nVersion: $PACKAGE_VERSION\n")
    return name
END
}

download() {
  local folder=$1
  python3 -m pip --version > /dev/null 2>&1 ||
    fail 1 "python3 has no pip." "Run scripts/setup-debian.sh, or pass --archive FILE."
  write_metadata_backend "$folder/backend"
  echo "Downloading $PACKAGE $PACKAGE_VERSION (77 MB) with pip ..." >&2
  PYTHONPATH="$folder/backend" python3 -m pip download --quiet --disable-pip-version-check \
    --no-deps --no-cache-dir --no-build-isolation --no-binary :all: --dest "$folder/download" \
    "$PACKAGE==$PACKAGE_VERSION" >&2 ||
    fail 1 "pip could not download $PACKAGE==$PACKAGE_VERSION." \
      "Check the network and pip's configuration (python3 -m pip config list)," \
      "or download the source package elsewhere and pass --archive FILE."
  archive=$(find "$folder/download" -maxdepth 1 -name '*.tar.gz' -print -quit)
  [[ -n $archive ]] || fail 1 "pip delivered no source package of $PACKAGE $PACKAGE_VERSION."
}

verify() {
  local actual
  actual=$(sha256sum < "$1")
  actual=${actual%% *}
  [[ $actual == "$SHA256" ]] || fail 3 \
    "the checksum of $1 differs; nothing was installed." \
    "  expected SHA-256 $SHA256" "  found    SHA-256 $actual" \
    "The download was damaged or is not the pinned version. Delete it and try again."
}

extract() {
  local from="llama_cpp_python-$PACKAGE_VERSION/vendor/llama.cpp" folder=$2
  mkdir "$folder"
  tar -xzf "$1" -C "$folder" --strip-components=3 --no-same-owner "${PARTS[@]/#/$from/}" ||
    fail 1 "could not unpack $1 into $folder (is the disk full?)."
}

main() {
  local cache=${PLUMBLINE_CACHE:-$HOME/.cache/plumbline} target="" archive=""
  while (($#)); do
    case $1 in
      --to | --archive)
        (($# > 1)) || fail 2 "$1 needs a value; see --help."
        if [[ $1 == --to ]]; then target=$2; else archive=$2; fi
        shift 2
        ;;
      -h | --help) usage && exit 0 ;;
      *) fail 2 "unknown argument '$1'; see --help." ;;
    esac
  done
  : "${target:=$cache/llama.cpp-$LLAMA_VERSION}"
  if [[ -f $target/include/llama.h ]]; then
    echo "$target"
    return
  fi
  [[ ! -e $target ]] || fail 1 "$target exists and is not llama.cpp's source; move it away."
  [[ -z $archive || -r $archive ]] || fail 1 "cannot read --archive '$archive'."

  mkdir -p "$(dirname "$target")"
  work=$(mktemp -d "$(dirname "$target")/.fetch-llama.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  [[ -n $archive ]] || download "$work"
  verify "$archive"
  extract "$archive" "$work/source"
  mv -T "$work/source" "$target" || fail 1 "could not move the source to $target."
  echo "$target"
}

main "$@"
