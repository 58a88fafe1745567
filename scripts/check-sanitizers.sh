#!/usr/bin/env bash
# Builds our code with sanitizers and runs the tests that suit them.
# Usage: scripts/check-sanitizers.sh address|thread
#
# Only our code is instrumented, and only the programs of those tests are built; llama.cpp comes out
# of ccache as ./test built it. That keeps this within minutes. So `thread` leaves out the tests
# that run the embedded model: what its uninstrumented threads do looks like races.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/build-steps.sh

case ${1:-} in
  address) sanitize=address,undefined targets=(fast_tests model_tests) exclude='server|slow' ;;
  thread) sanitize=thread targets=(fast_tests) exclude='server|slow|model' ;;
  *) echo "Usage: scripts/check-sanitizers.sh address|thread" >&2 && exit 2 ;;
esac
[[ -n $LLAMA_DIR ]] || scripts/fetch-llama.sh
model=$(scripts/fetch-model.sh)
folder=build-$1

step "Building with -fsanitize=$sanitize in $folder"
cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release "-DPLUMBLINE_SANITIZE=$sanitize" \
  -DPLUMBLINE_BUILD_PEERS=OFF -DPLUMBLINE_BUILD_BENCHMARKS=OFF "-DLLAMA_CPP_DIR=$LLAMA_DIR" \
  "-DPLUMBLINE_MODEL_DIR=$(dirname "$model")" > "$folder.log" || { cat "$folder.log" && exit 1; }
cmake --build "$folder" --parallel "$(nproc)" --target "${targets[@]}"
step "Testing under -fsanitize=$sanitize"
# Containers are handed to and from llama.cpp's uninstrumented code: no container-overflow checks.
export ASAN_OPTIONS=strict_string_checks=1:detect_container_overflow=0
export UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
ctest --test-dir "$folder" --output-on-failure --no-tests=error --parallel "$(nproc)" \
  --label-exclude "$exclude" < /dev/null
