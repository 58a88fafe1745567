"""Is llama.cpp's file that loads a tile configuration compiled with the cure?

Usage: cure_applied_test.py BUILD_DIR HEADER. See cmake/AmxTileConfig.cmake.
"""

import json
import pathlib
import sys


def main():
    build, header = sys.argv[1:]
    entries = json.loads(pathlib.Path(build, "compile_commands.json").read_text(encoding="utf-8"))
    commands = [entry["command"] for entry in entries if entry["file"].endswith("/amx/mmq.cpp")]
    if not commands:
        sys.exit("amx/mmq.cpp is not in the build; has llama.cpp renamed it? "
                 "Then AmxTileConfig.cmake has to follow.")
    if any(f"-include {header}" not in command for command in commands):
        sys.exit(f"amx/mmq.cpp is compiled without -include {header}")


if __name__ == "__main__":
    main()
