# Steps that ./quickstart, ./test and .ci/run share. To be sourced from the repository's root.
# shellcheck shell=bash

readonly BUILD_DIR=${PLUMBLINE_BUILD_DIR:-build}
CMAKE_ARGS=()  # what the user passed on to CMake
LLAMA_DIR=${LLAMA_CPP_DIR:-}  # empty: the pinned source in the cache, which CMake finds

# Lets ccache serve llama.cpp's objects to every build folder in here, and to other clones.
export CCACHE_BASEDIR=$PWD

step() { printf '\n== %s\n' "$*"; }

# Options that both commands take; returns 1 for one that it does not know.
parse_common_option() {
  case $1 in
    -D*) CMAKE_ARGS+=("$1") ;;
    --llama-dir=*) LLAMA_DIR=${1#*=} ;;
    *) return 1 ;;
  esac
}

describe_common_options() {
  cat <<'END'
  --llama-dir=DIR   build against this folder with llama.cpp's source, not the pinned one
                    (LLAMA_CPP_DIR in the environment does the same)
  -DNAME=VALUE      passed on to CMake, for example -DPLUMBLINE_GPU=cuda

In the environment: PLUMBLINE_BUILD_DIR (build), PLUMBLINE_CACHE (~/.cache/plumbline),
PLUMBLINE_MODEL_DIR ($PLUMBLINE_CACHE/models), PLUMBLINE_SKIP_SETUP=1 (install no packages).
END
}

# Debian packages, llama.cpp's source, the default model. Sets MODEL_FILE.
prepare() {
  step "Packages, llama.cpp's source and the default model"
  [[ ${PLUMBLINE_SKIP_SETUP:-} == 1 ]] || scripts/setup-debian.sh
  local llama=$LLAMA_DIR
  [[ -n $llama ]] || llama=$(scripts/fetch-llama.sh)
  echo "llama.cpp: $llama"
  MODEL_FILE=$(scripts/fetch-model.sh)
  echo "Model: $MODEL_FILE (checked)"
}

# Configures when there is no build yet or the arguments are others; ninja sees to the rest.
configure() {
  local args=(-G Ninja -DCMAKE_BUILD_TYPE=Release "-DLLAMA_CPP_DIR=$LLAMA_DIR"
    "-DPLUMBLINE_MODEL_DIR=$(dirname "$MODEL_FILE")" "${CMAKE_ARGS[@]}")
  local stamp=$BUILD_DIR/.configured-with
  if [[ -f $BUILD_DIR/build.ninja && -f $stamp && $(< "$stamp") == "${args[*]}" ]]; then
    return
  fi
  step "Configuring $BUILD_DIR"
  rm -f "$stamp"
  cmake --fresh -S . -B "$BUILD_DIR" "${args[@]}"
  printf '%s' "${args[*]}" > "$stamp"
}

build() {
  step "Building $* in $BUILD_DIR (the first time takes minutes; most of it is llama.cpp)"
  cmake --build "$BUILD_DIR" --parallel "$(nproc)" --target "$@"
}

# One line for everything that decides how a test ends: what lies in the repository (names and
# contents), and the arguments it was configured with.
source_fingerprint() {
  {
    cat "$BUILD_DIR/.configured-with"
    find . -type d \( -path "./$BUILD_DIR" -o -path ./.git -o -path './build-*' \
      -o -name __pycache__ \) -prune -o -type f -print0 |
      LC_ALL=C sort -z | xargs -0 sha256sum
  } | sha256sum
}
