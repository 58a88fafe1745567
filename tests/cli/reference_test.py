"""docs/cli.md says what --help says."""

import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Reference(unittest.TestCase):
    def test_is_up_to_date(self):
        script = ROOT / "scripts/make-cli-reference.py"
        made = subprocess.run([sys.executable, script, os.environ["PLUMBLINE_PROGRAM"]],
                              capture_output=True, text=True, check=True).stdout
        self.assertEqual((ROOT / "docs/cli.md").read_text(), made,
                         "run: scripts/make-cli-reference.py build/plumbline > docs/cli.md")


if __name__ == "__main__":
    unittest.main(verbosity=2)
