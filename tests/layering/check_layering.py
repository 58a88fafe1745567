"""Checks what the compiler can't: which way the rooms look, and how long files are.

Usage: check_layering.py [--root DIR]. Prints one line a violation, `file:line: what`, and exits
with 1 if there is any. The rules:

- a room includes only from itself and from rooms above it in ROOMS;
- llama.cpp's headers are included in plumbline/model/llama alone;
- an include in quotes names its file from the repository's root;
- no source file is longer than MAX_LINES.
"""

import argparse
import pathlib
import re
import sys

# docs: the architecture's list, top to bottom.
ROOMS = [
    "plumbline/core",
    "plumbline/stats",
    "plumbline/infalign",
    "plumbline/data",
    "plumbline/model",
    "plumbline/model/llama",
    "plumbline/model/openai",
    "plumbline/model/scripted",
    "plumbline/scoring",
    "plumbline/search",
    "plumbline/procedures",
    "plumbline/experiments",
    "plumbline/train",
    "plumbline/server",
    "plumbline/cli",
]
# These cross rooms and may include any of them; no room may include from them.
OUTSIDE = ["bench", "fuzz", "tests"]
LLAMA_ROOM = "plumbline/model/llama"
# Quoted or in angle brackets, these are llama.cpp's and ggml's.
LLAMA_HEADER = re.compile(r"^(llama([-.].*)?|ggml.*|gguf.*)\.(h|hpp)$|^jinja/")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
MAX_LINES = 500
CODE = {".h", ".cc"}
COUNTED = CODE | {".py", ".sh", ".cmake", ".js", ".ts", ".css", ".html"}


def room_of(path):
    """The room (or outside folder) that a repository path belongs to, None if to none."""
    folder = path.rpartition("/")[0]
    for name in sorted(ROOMS + OUTSIDE, key=len, reverse=True):
        if folder == name or folder.startswith(name + "/"):
            return name
    return None


def include_problem(room, quoted, header):
    """What is wrong with `room` including `header`, or None."""
    if LLAMA_HEADER.match(header):
        if room == LLAMA_ROOM or room in OUTSIDE:
            return None
        return f"only {LLAMA_ROOM} includes llama.cpp's headers, here is <{header}>"
    if not quoted or room == LLAMA_ROOM and "/" not in header:
        return None
    target = room_of(header)
    if target is None:
        return f'"{header}" is not named from the root of the repository'
    if room in OUTSIDE or target == room:
        return None
    if target in OUTSIDE:
        return f'a room must not include "{header}" from {target}'
    if ROOMS.index(target) > ROOMS.index(room):
        return f"{room} must not include from {target}, which stands below it: \"{header}\""
    return None


def problems_of_file(root, path):
    text = (root / path).read_text(encoding="utf-8", errors="replace")
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        yield f"{path}:{MAX_LINES + 1}: {len(lines)} lines; split it by what it is about"
    room = room_of(path)
    if pathlib.Path(path).suffix not in CODE or room is None:
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match:
            problem = include_problem(room, match[1] == '"', match[2])
            if problem:
                yield f"{path}:{number}: {problem}"


def source_files(root):
    for top in ["plumbline", "scripts", "cmake", "web", *OUTSIDE]:
        for file in sorted((root / top).rglob("*")):
            if file.is_file() and file.suffix in COUNTED:
                yield file.relative_to(root).as_posix()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path.cwd())
    root = parser.parse_args().root
    files = list(source_files(root))
    if not files:
        sys.exit(f"no source files under {root}: is that the root of the repository?")
    problems = [problem for path in files for problem in problems_of_file(root, path)]
    print("\n".join(problems or [f"{len(files)} files, no violation"]))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
