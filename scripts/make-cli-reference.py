#!/usr/bin/env python3
"""Prints docs/cli.md, made from the program's own --help: make-cli-reference.py build/plumbline"""

import subprocess
import sys

COMMANDS = [[], ["generate"], ["models"], ["models", "list"], ["models", "fetch"],
            ["models", "verify"], ["models", "inspect"], ["check"], ["compare"],
            ["bench"], ["version"]]

EXIT_CODES = """## Exit codes

| code | name | meaning |
|---|---|---|
| 0 | | success |
| 1 | | a bug in Plumbline |
| 2 | invalid_argument | an option or argument makes no sense; the nearest known one is named |
| 3 | invalid_input | data is malformed: UTF-8, JSON, CSV, a template file, an empty prompt |
| 4 | not_found | a named file, template or column doesn't exist |
| 5 | unsupported | well-formed, but this build, model or server can't do it |
| 6 | too_long | a prompt doesn't fit the context |
| 7 | model_file | a model file is missing, truncated, not GGUF, or fails its checksum |
| 8 | io | the disk: can't open, no space, write failed |
| 9 | network | a server didn't answer, went away, or timed out |
| 10 | remote | a server answered with an error or with nonsense |
| 11 | exhausted | something bounded is used up or in use: the cache, a results file |
| 12 | internal | a third-party library failed in a way that isn't the user's doing |
| 130 | cancelled | stopped by Ctrl-C (or SIGTERM, SIGHUP); what was finished is kept |

A run over a file goes on past prompts that can't be answered (too long, malformed for the model)
and ends with the code of the first such failure. A second Ctrl-C ends the program at once.

## Environment

| variable | meaning |
|---|---|
| `PLUMBLINE_MODEL_DIR` | where models are kept; otherwise `$PLUMBLINE_CACHE/models` |
| `PLUMBLINE_CACHE` | downloads and remembered checks; otherwise `~/.cache/plumbline` |
| `PLUMBLINE_API_KEY`, `OPENAI_API_KEY` | the bearer token for a remote model |
"""


def main():
    program = sys.argv[1]
    print("# Command line reference\n\nMade by scripts/make-cli-reference.py from `--help`. "
          "The files that are read and written are\ndescribed in [files.md](files.md).\n")
    for command in COMMANDS:
        result = subprocess.run([program, *command, "--help"], capture_output=True, text=True,
                                check=True)
        print(f"## {' '.join(['plumbline', *command])}\n\n```\n{result.stdout.strip()}\n```\n")
    print(EXIT_CODES, end="")


if __name__ == "__main__":
    main()
