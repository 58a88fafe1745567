"""Runs the plumbline program for the tests of this folder."""

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["PLUMBLINE_PROGRAM"])
MODEL = pathlib.Path(os.environ["PLUMBLINE_MODEL_DIR"]) / "SmolLM2-135M-Instruct.Q4_1.gguf"
# One thread: the tests share their machine, where a second one mostly waits for the first.
GENERATE = ["generate", "--threads", "1", "--no-self-check"]

# plumbline/core/result.cc; docs/cli.md.
INVALID_ARGUMENT, INVALID_INPUT, NOT_FOUND, UNSUPPORTED, TOO_LONG, MODEL_FILE, IO = range(2, 9)
NETWORK, REMOTE, EXHAUSTED, INTERNAL = range(9, 13)
CANCELLED = 130


class ProgramTest(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="plumbline_cli_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.environment = dict(os.environ, PLUMBLINE_CACHE=str(self.folder / "cache"))

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def run_program(self, *arguments, **options):
        """Runs to the end; standard output and error are bytes."""
        return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=300,
                              stdin=subprocess.DEVNULL, env=self.environment, check=False,
                              **options)

    def start_program(self, *arguments, **options):
        return subprocess.Popen([PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                env=self.environment, **options)

    def expect_failure(self, code, wanted, *arguments, **options):
        """Runs; checks the exit code and that standard error says each wanted text."""
        result = self.run_program(*arguments, **options)
        error = result.stderr.decode()
        self.assertEqual(result.returncode, code, error)
        for text in wanted:
            self.assertIn(text, error)
        return result

    def expect_success(self, *arguments, **options):
        result = self.run_program(*arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result


def limit_file_size(size):
    """For preexec_fn: makes every file that grows beyond `size` bytes fail to grow."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit


def json_lines(data):
    return [json.loads(line) for line in data.decode().splitlines()]


def main():
    if not MODEL.exists():
        sys.exit(f"the default model isn't at {MODEL}: plumbline models fetch gets it")
    unittest.main(verbosity=2)
