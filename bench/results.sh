#!/usr/bin/env bash
# Does alignment help? Answers the same prompts by several procedures and lets one judge compare
# them: the table of docs/results.md. Killed at any point, it goes on when it is started again.

set -euo pipefail

readonly ALL_PROCEDURES="sample best-of-n rain-reference rain-default"

usage() {
  cat <<END
Usage: bench/results.sh MODEL.gguf PROMPTS OUT_DIR [N]

Answers the first N (100) prompts of the file PROMPTS (HH .jsonl.gz, or whatever else
\`generate --input\` reads) by each procedure and compares them:
OUT_DIR/<procedure>.jsonl, OUT_DIR/judgements.jsonl, OUT_DIR/table.txt and OUT_DIR/table.json.

In the environment:
  PROCEDURES    which ones, the first is what others are compared with
                (default: $ALL_PROCEDURES)
  REFERENCE_N   prompts for rain-reference, which is the slowest (default: N)
  JUDGE_MODEL   a GGUF file that judges the answers (default: the program's default model)
  JUDGE         its template, NAME[:VARIANT] or FILE (default: harmless)
  CALIBRATE=0   don't calibrate the judge on the shipped labelled replies
  MAX_TOKENS    of an answer (default: 64)
  PARALLEL      prompts at once (default: 8)
  THREADS       CPU threads (default: one for each processor)
  GENERATE_ARGS more options for every \`plumbline generate\`, separated by blanks
  PLUMBLINE     the program (default: build/plumbline)
END
}

fail() {
  printf 'results: %s\n' "$@" >&2
  exit 2
}

# What `plumbline generate` is told for one procedure; one word a line.
options_of() {
  case $1 in
    sample) printf '%s\n' --procedure sample ;;
    best-of-n) printf '%s\n' --procedure best-of-n -n 8 --value soft ;;
    rain-reference) printf '%s\n' --procedure rain --rain-preset reference --value soft ;;
    rain-default) printf '%s\n' --procedure rain --rain-preset default ;;
    *) fail "unknown procedure '$1'" "known: $ALL_PROCEDURES" ;;
  esac
}

step() { printf '\n== %s\n' "$*"; }

# Shows a command on standard error, then runs it.
run() {
  printf '+' >&2
  printf ' %q' "$@" >&2
  printf '\n' >&2
  "$@"
}

answer_all() {
  local name=$1 count=$2
  local options=()
  mapfile -t options < <(options_of "$name")
  step "$name: $count prompts"
  run "$PROGRAM" generate --model "$MODEL" --input "$PROMPTS" --limit "$count" \
    --max-tokens "${MAX_TOKENS:-64}" --seed 1 --parallel "${PARALLEL:-8}" \
    --threads "${THREADS:-0}" "${EXTRA[@]}" "${options[@]}" --output "$OUT/$name.jsonl"
}

# Judgements are kept, so the second form of the table asks the judge nothing.
compare_all() {
  local files=() name judge=()
  for name in "${NAMES[@]}"; do files+=("$OUT/$name.jsonl"); done
  judge=(--judge "${JUDGE:-harmless}" --threads "${THREADS:-0}" --output "$OUT/judgements.jsonl")
  [[ -z ${JUDGE_MODEL:-} ]] || judge+=(--judge-model "$JUDGE_MODEL")
  [[ ${CALIBRATE:-1} == 0 ]] || judge+=(--calibrate)
  step "comparing ${NAMES[*]}"
  run "$PROGRAM" compare "${files[@]}" "${judge[@]}" > "$OUT/table.txt.part"
  "$PROGRAM" compare "${files[@]}" "${judge[@]}" --json > "$OUT/table.json.part"
  mv "$OUT/table.txt.part" "$OUT/table.txt"
  mv "$OUT/table.json.part" "$OUT/table.json"
  cat "$OUT/table.txt"
}

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  usage
  exit 0
fi
if (($# < 3 || $# > 4)); then
  usage >&2
  exit 2
fi
readonly MODEL=$1 PROMPTS=$2 OUT=$3 N=${4:-100}
readonly PROGRAM=${PLUMBLINE:-build/plumbline}
read -r -a NAMES <<< "${PROCEDURES:-$ALL_PROCEDURES}"
read -r -a EXTRA <<< "${GENERATE_ARGS:-}"
[[ $N =~ ^[1-9][0-9]*$ ]] || fail "N is '$N', not a number of prompts"
[[ -x $PROGRAM ]] || fail "no program at $PROGRAM: build it by ./quickstart, or set PLUMBLINE"
for name in "${NAMES[@]}"; do options_of "$name" > /dev/null; done

mkdir -p "$OUT"
for name in "${NAMES[@]}"; do
  count=$N
  [[ $name != rain-reference ]] || count=${REFERENCE_N:-$N}
  answer_all "$name" "$count"
done
compare_all
printf '\nwritten: %s %s\n' "$OUT/table.txt" "$OUT/table.json"
