"""Plants violations in a small tree and wants each of them named."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).with_name("check_layering.py")


def run_on(files):
    """Exit code and lines of the check on a tree with these files."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            file = pathlib.Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        command = [sys.executable, str(CHECK), "--root", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()


class CheckLayeringTest(unittest.TestCase):
    def assert_named(self, path, include, words):
        code, lines = run_on({path: f"#pragma once\n\n{include}\n"})
        self.assertEqual(code, 1)
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith(f"{path}:3: "), lines)
        self.assertIn(words, lines[0])

    def test_allowed_tree_passes(self):
        code, lines = run_on({
            "plumbline/core/a.h": "#include <vector>\n",
            "plumbline/search/b.cc": '#include "plumbline/core/a.h"\n',
            "plumbline/model/llama/c.cc": '#include <llama.h>\n#include "chat.h"\n',
            "plumbline/model/llama/d.cc": '#include "plumbline/model/chat.h"\n',
            "tests/e.cc": '#include "plumbline/cli/main.h"\n',
        })
        self.assertEqual((code, lines), (0, ["5 files, no violation"]))

    def test_downward_include(self):
        self.assert_named("plumbline/core/a.h", '#include "plumbline/search/tree.h"',
                          "must not include from plumbline/search")

    def test_downward_include_into_a_nested_room(self):
        self.assert_named("plumbline/model/chat.cc", '#include "plumbline/model/llama/model.h"',
                          "must not include from plumbline/model/llama")

    def test_room_includes_test_code(self):
        self.assert_named("plumbline/search/tree.cc", '#include "tests/helper.h"', "from tests")

    def test_llama_header_elsewhere(self):
        for include in ['#include "llama.h"', "#include <ggml-backend.h>", "#  include <llama.h>"]:
            self.assert_named("plumbline/procedures/rain.cc", include, "llama.cpp's headers")

    def test_include_relative_to_its_folder(self):
        self.assert_named("plumbline/core/a.cc", '#include "b.h"', "not named from the root")

    def test_long_file(self):
        code, lines = run_on({"plumbline/core/a.cc": "//\n" * 501})
        self.assertEqual((code, len(lines)), (1, 1))
        self.assertIn("a.cc:501: 501 lines", lines[0])

    def test_no_sources_is_an_error(self):
        code, lines = run_on({})
        self.assertEqual((code, lines), (1, []))


if __name__ == "__main__":
    unittest.main()
