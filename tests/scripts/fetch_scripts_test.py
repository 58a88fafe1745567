"""The fetch scripts refuse what is not what they name, and leave nothing behind. No network."""

import os
import pathlib
import subprocess
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).parents[2] / "scripts"
ALL = ["fetch-llama.sh", "fetch-model.sh"]


def run(script, *arguments, **environment):
    command = ["bash", str(SCRIPTS / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False,
                          env={**os.environ, **environment})


class FetchScriptsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def test_a_bad_checksum_is_refused(self):
        archive = self.path / "archive"
        archive.write_bytes(b"not what was pinned")
        for script in ALL:
            target = self.path / "cache" / script
            done = run(script, "--archive", archive, "--to", target)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn(f"the checksum of {archive} differs", done.stderr)
            self.assertIn("expected SHA-256", done.stderr)
            left = [path for path in (self.path / "cache").rglob("*") if path != target]
            self.assertEqual(left, [])
            self.assertFalse(target.is_file())

    def test_a_missing_archive_is_named(self):
        for script in ALL:
            done = run(script, "--archive", self.path / "none", "--to", self.path / "new")
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"cannot read --archive '{self.path / 'none'}'", done.stderr)

    def test_wrong_usage(self):
        for script in ALL:
            self.assertEqual(run(script, "--too", "x").returncode, 2)
            self.assertEqual(run(script, "--to").returncode, 2)
            self.assertEqual(run(script, "--help").returncode, 0)

    def test_a_folder_that_is_there_is_kept(self):
        source = self.path / f"llama.cpp-{self.llama_version()}"
        (source / "include").mkdir(parents=True)
        (source / "include" / "llama.h").write_text("// here already\n", encoding="utf-8")
        done = run("fetch-llama.sh", PLUMBLINE_CACHE=str(self.path))
        self.assertEqual((done.returncode, done.stdout), (0, f"{source}\n"), done.stderr)

    def test_a_foreign_folder_is_not_overwritten(self):
        (self.path / "mine").write_text("keep", encoding="utf-8")
        done = run("fetch-llama.sh", "--to", self.path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not llama.cpp's source", done.stderr)
        self.assertEqual((self.path / "mine").read_text(encoding="utf-8"), "keep")

    @staticmethod
    def llama_version():
        for line in (SCRIPTS / "fetch-llama.sh").read_text(encoding="utf-8").splitlines():
            if line.startswith("readonly LLAMA_VERSION="):
                return line.partition("=")[2]
        raise AssertionError("fetch-llama.sh names no version")


if __name__ == "__main__":
    unittest.main()
