"""What the program says to bad input that it can refuse without running a model."""

import subprocess
import unittest

from program import (GENERATE, INVALID_ARGUMENT, INVALID_INPUT, IO, MODEL_FILE, NOT_FOUND,
                     ProgramTest, UNSUPPORTED, limit_file_size)


class CommandLine(ProgramTest):
    def test_no_command_shows_the_help(self):
        result = self.run_program()
        self.assertEqual(result.returncode, INVALID_ARGUMENT)
        self.assertIn(b"plumbline models fetch", result.stdout)

    def test_unknown_command(self):
        self.expect_failure(INVALID_ARGUMENT, ["'generat'", "did you mean generate?"], "generat")

    def test_unknown_option(self):
        self.expect_failure(INVALID_ARGUMENT, ["--temprature", "did you mean --temperature?"],
                            "generate", "--temprature", "0.5", "Hello")
        self.expect_failure(INVALID_ARGUMENT, ["--templates", "--template?"],
                            "check", "--templates=x")

    def test_words_without_quotes(self):
        self.expect_failure(INVALID_ARGUMENT, ["'are'", "quotes"], "generate", "How", "are", "you?")

    def test_unknown_procedure(self):
        self.expect_failure(INVALID_ARGUMENT, ["--procedure", "'rian'", "did you mean rain?"],
                            "generate", "-p", "rian", "Hello")
        self.expect_failure(INVALID_ARGUMENT, ["'best-of-m'", "'best-of-n'"],
                            "generate", "--compare", "sample,best-of-m", "Hello")
        self.expect_failure(INVALID_ARGUMENT, ["twice"],
                            "generate", "--compare", "rain,rain", "Hello")

    def test_values_out_of_range(self):
        self.expect_failure(INVALID_ARGUMENT, ["temperature"],
                            "generate", "--temperature=-1", "Hello")
        self.expect_failure(INVALID_ARGUMENT, ["top_p"], "generate", "--top-p", "0", "Hello")
        self.expect_failure(INVALID_ARGUMENT, ["--max-tokens"],
                            "generate", "--max-tokens", "many", "Hello")
        self.expect_failure(INVALID_ARGUMENT, ["--parallel"], "generate", "--parallel", "0", "x")
        self.expect_failure(INVALID_ARGUMENT, ["visits"],
                            "generate", "-p", "rain", "--rain-visits", "0", "Hello")

    def test_options_that_contradict_each_other(self):
        self.expect_failure(INVALID_ARGUMENT, ["--input"],
                            "generate", "--input", "x.jsonl", "Hello")
        self.expect_failure(INVALID_ARGUMENT, ["--trace", "rain"],
                            "generate", "--trace", "t.json", "Hello")
        self.expect_failure(INVALID_ARGUMENT, ["--compare"],
                            "generate", "--compare", "sample,rain", "-p", "rain", "Hello")


class Prompts(ProgramTest):
    def test_no_prompt(self):
        self.expect_failure(INVALID_ARGUMENT, ["no prompt is given"], "generate")

    def test_an_empty_prompt(self):
        self.expect_failure(INVALID_INPUT, ["the prompt is empty"], "generate", "")

    def test_a_prompt_that_is_not_utf8(self):
        self.expect_failure(INVALID_INPUT, ["UTF-8"], "generate", b"caf\xe9".decode(
            "utf-8", "surrogateescape"))

    def test_a_missing_file(self):
        self.expect_failure(NOT_FOUND, ["none.jsonl"], "generate", "--input",
                            self.folder / "none.jsonl")

    def test_an_empty_file(self):
        self.expect_failure(INVALID_INPUT, ["a.jsonl holds no prompts"], "generate", "--input",
                            self.write("a.jsonl", ""))

    def test_invalid_utf8_names_the_line(self):
        path = self.write("a.jsonl", b'{"prompt": "a"}\n{"prompt": "\xff"}\n')
        self.expect_failure(INVALID_INPUT, ["a.jsonl:2", "UTF-8"], "generate", "--input", path)

    def test_invalid_json_names_the_line(self):
        path = self.write("a.jsonl", '{"prompt": "a"}\n\n{"prompt": "b"\n')
        self.expect_failure(INVALID_INPUT, ["a.jsonl:3", "invalid JSON", "column"],
                            "generate", "--input", path)

    def test_a_missing_column_names_those_there(self):
        path = self.write("a.csv", "goal,target\nx,y\n")
        self.expect_failure(NOT_FOUND, ["'gaol'", "did you mean --column 'goal'"],
                            "generate", "--input", path, "--column", "gaol")

    def test_a_chat_without_its_fields(self):
        path = self.write("chat.json", '[{"role": "user"}]')
        self.expect_failure(INVALID_INPUT, ["chat.json", "'content'"], "generate", "--chat", path)


class Models(ProgramTest):
    def expect_model_file_failure(self, wanted, path):
        self.expect_failure(MODEL_FILE, wanted, "generate", "--model", path, "Hello")
        self.expect_failure(MODEL_FILE, wanted, "models", "inspect", path)
        self.expect_failure(MODEL_FILE, wanted, "models", "verify", path)

    def test_a_missing_file(self):
        self.expect_model_file_failure(["none.gguf"], self.folder / "none.gguf")

    def test_an_empty_file(self):
        self.expect_model_file_failure(["empty.gguf", "empty"], self.write("empty.gguf", ""))

    def test_a_file_that_is_not_gguf(self):
        self.expect_model_file_failure(["text.gguf", "GGUF"],
                                       self.write("text.gguf", "This is not a model.\n" * 100))

    def test_a_header_that_is_cut_off(self):
        self.expect_model_file_failure(["cut.gguf"], self.write("cut.gguf", b"GGUF\x03\0\0\0\1\0"))

    def test_the_default_model_that_is_not_there(self):
        self.environment["PLUMBLINE_MODEL_DIR"] = str(self.folder)
        self.expect_failure(MODEL_FILE, ["plumbline models fetch"], "generate", "Hello")

    def test_a_server_that_is_not_there(self):
        result = self.run_program("generate", "--model", "http://127.0.0.1:1", "Hello")
        self.assertEqual(result.returncode, 9, result.stderr)
        self.assertIn(b"127.0.0.1", result.stderr)

    def test_an_adapter_for_a_server(self):
        self.expect_failure(UNSUPPORTED, ["--lora"], "generate", "--model", "http://127.0.0.1:1",
                            "--lora", "x.gguf", "Hello")

    def test_an_unknown_template(self):
        self.expect_failure(NOT_FOUND, ["harmles", "harmless"],
                            *GENERATE, "-p", "rain", "--align-to", "harmles", "Hello")

    def test_an_unknown_part_of_a_template(self):
        path = self.write("mine.tmpl", "[instrction]\nJudge.\n")
        self.expect_failure(INVALID_INPUT, ["mine.tmpl:1", "instrction", "instruction"],
                            *GENERATE, "-p", "rain", "--align-to", path, "Hello")


class Output(ProgramTest):
    def prompts(self):
        return self.write("in.txt", "one\ntwo\n")

    def test_a_folder_that_does_not_exist(self):
        self.expect_failure(NOT_FOUND, ["none/out.jsonl"], "generate", "--input", self.prompts(),
                            "--output", self.folder / "none/out.jsonl")

    def test_a_file_of_somebody_else_is_left_alone(self):
        path = self.write("notes.txt", "my notes\n")
        self.expect_failure(INVALID_ARGUMENT, ["notes.txt", "isn't a results file"], "generate",
                            "--input", self.prompts(), "--output", path)
        self.assertEqual((self.folder / "notes.txt").read_text(), "my notes\n")

    def test_a_full_disk(self):
        self.expect_failure(IO, ["/dev/full", "No space left"], "generate", "--input",
                            self.prompts(), "--output", "/dev/full")
        with open("/dev/full", "wb") as full:
            process = self.start_program("version", stdout=full, stderr=subprocess.PIPE)
            error = process.communicate()[1]
        self.assertEqual(process.returncode, IO)
        self.assertIn(b"No space left", error)

    def test_a_disk_that_is_full_from_the_start(self):
        out = self.folder / "out.jsonl"
        self.expect_failure(IO, ["out.jsonl"], "generate", "--input", self.prompts(), "--output",
                            out, preexec_fn=limit_file_size(10))
        self.assertEqual(out.read_bytes(), b"")


if __name__ == "__main__":
    unittest.main(verbosity=2)
