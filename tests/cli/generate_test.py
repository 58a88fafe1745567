"""plumbline generate with the real default model."""

import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import time

import fcntl
import termios

import program
from program import CANCELLED, GENERATE, IO, MODEL, MODEL_FILE, ProgramTest, TOO_LONG, json_lines

SHORT = ["--max-tokens", "12", "--seed", "3"]


class OnePrompt(ProgramTest):
    def test_a_plain_answer_goes_to_standard_output_and_its_summary_to_standard_error(self):
        result = self.expect_success(*GENERATE, *SHORT, "Why is the sky blue?")
        text = result.stdout.decode()
        self.assertGreater(len(text.split()), 3)
        self.assertTrue(text.endswith("\n"))
        for wanted in ["sample: 12 tokens", "tokens/s", " read, ", " reused, ", " re-read"]:
            self.assertIn(wanted, result.stderr.decode())
        self.assertNotIn(b"\x1b", result.stdout + result.stderr)

    def test_quiet_says_nothing_but_the_answer(self):
        loud = self.expect_success(*GENERATE, *SHORT, "--deterministic", "Hello")
        quiet = self.expect_success(*GENERATE, *SHORT, "--deterministic", "--quiet", "Hello")
        self.assertEqual(quiet.stderr, b"")
        self.assertEqual(quiet.stdout, loud.stdout)
        self.assertNotIn(b"note:", loud.stderr)

    def test_json(self):
        result = self.expect_success(*GENERATE, *SHORT, "--json", "-p", "best-of-n", "-n", "3",
                                     "--system", "Be brief.", "--turn", "Hi", "--turn", "Hello!",
                                     "What is two plus two?")
        [answer] = json_lines(result.stdout)
        self.assertEqual(answer["schema"], "plumbline.answer/1")
        self.assertEqual([m["role"] for m in answer["messages"]],
                         ["system", "user", "assistant", "user"])
        self.assertEqual(answer["procedure"], "best-of-n")
        self.assertEqual(len(answer["candidates"]), 3)
        values = [candidate["value"] for candidate in answer["candidates"]]
        self.assertEqual(answer["answer"]["value"], max(values))
        self.assertEqual(answer["answer"]["tokens"], 12)
        self.assertGreater(answer["usage"]["tokens_read"], 36)

    def test_compare_labels_each_procedure_and_sums_up(self):
        result = self.expect_success(*GENERATE, *SHORT, "--compare", "sample,best-of-n,rain",
                                     "-n", "2", "--rain-visits", "4", "What is a knife for?")
        text = result.stdout.decode()
        for name in ["sample", "best-of-n", "rain"]:
            self.assertIn(f"--- {name} ---\n", text)
        rows = [line.split()[0] for line in result.stderr.decode().splitlines() if line.strip()]
        self.assertIn("best-of-n", rows)

    def test_the_trace_of_a_search(self):
        trace = self.folder / "trace.json"
        self.expect_success(*GENERATE, *SHORT, "-p", "rain", "--rain-draft-first", "off",
                            "--rain-visits", "4", "--trace", trace, "Tell me about knives.")
        tree = json.loads(trace.read_text())
        self.assertEqual(tree["schema"], "plumbline.trace/1")
        self.assertGreater(len(tree["nodes"]), 4)
        self.assertEqual(os.listdir(self.folder), ["trace.json"])

    def test_a_trace_that_cannot_be_written(self):
        self.expect_failure(IO, ["/dev/full", "No space left"], *GENERATE, *SHORT, "-p", "rain",
                            "--trace", "/dev/full", "Hello")

    def test_an_answer_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            process = self.start_program(*GENERATE, *SHORT, "Hello", stdout=full,
                                         stderr=subprocess.PIPE)
            error = process.communicate()[1]
        self.assertEqual(process.returncode, IO, error)

    def test_a_prompt_longer_than_the_context(self):
        self.expect_failure(TOO_LONG, ["context"], *GENERATE, "--ctx", "256", "word " * 400)

    def test_a_truncated_model(self):
        with MODEL.open("rb") as whole:
            path = self.write("cut.gguf", whole.read(20_000_000))
        for arguments in [["generate", "--model", path, "Hello"], ["models", "inspect", path]]:
            self.expect_failure(MODEL_FILE, ["cut.gguf", "truncated"], *arguments)

    def test_what_the_default_model_says_of_itself(self):
        text = self.expect_success("models", "inspect", MODEL).stdout.decode()
        for wanted in ["llama", "q4_1", "chat template    yes", "134.5 M"]:
            self.assertIn(wanted, text)
        self.assertIn(b"as expected", self.expect_success("models", "verify").stdout)


class Files(ProgramTest):
    def test_a_prompt_that_is_too_long_does_not_keep_others_from_being_answered(self):
        path = self.write("in.jsonl", "\n".join(
            json.dumps({"id": f"p{i}", "prompt": text})
            for i, text in enumerate(["Hello", "word " * 700, "Goodbye"])))
        result = self.expect_failure(TOO_LONG, ["in.jsonl:2", "1 failed"], *GENERATE, *SHORT,
                                     "--ctx", "512", "--json", "--input", path)
        self.assertEqual({answer["id"] for answer in json_lines(result.stdout)}, {"p0", "p2"})

    def test_csv_and_skip_and_limit(self):
        path = self.write("in.csv", 'n,goal\n0,a\n1,"Say\nhello"\n2,c\n')
        result = self.expect_success(*GENERATE, *SHORT, "--input", path, "--column", "goal",
                                     "--skip", "1", "--limit", "1", "--json")
        [answer] = json_lines(result.stdout)
        self.assertEqual(answer["messages"], [{"role": "user", "content": "Say\nhello"}])
        self.assertEqual(answer["index"], 1)

    def test_without_json_answers_are_labelled(self):
        path = self.write("in.txt", "Hello\nGoodbye\n")
        text = self.expect_success(*GENERATE, *SHORT, "--input", path).stdout.decode()
        self.assertEqual(sorted(re.findall(r"^--- (\d+) ---$", text, re.MULTILINE)), ["1", "2"])


class Interrupts(ProgramTest):
    LONG = ["--max-tokens", "2000", "--ctx", "4096", "Write a very long story about the sea."]

    def interrupt(self, number):
        process = self.start_program(*GENERATE, *self.LONG, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE)
        first = os.read(process.stdout.fileno(), 4096)
        process.send_signal(number)
        rest, error = process.communicate(timeout=60)
        return process.returncode, first + rest, error.decode()

    def test_ctrl_c_keeps_what_is_there(self):
        for number in [signal.SIGINT, signal.SIGTERM]:
            code, text, error = self.interrupt(number)
            self.assertEqual(code, CANCELLED, error)
            self.assertIn("stopped on request", error)
            self.assertGreater(len(text), 3)

    def test_a_second_ctrl_c_kills(self):
        process = self.start_program(*GENERATE, *self.LONG, stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL)
        os.read(process.stdout.fileno(), 4096)
        # Stopped, it can't finish by itself before the second signal arrives; two different
        # signals, because equal ones that wait are merged.
        for number in [signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT]:
            process.send_signal(number)
        process.communicate(timeout=60)
        self.assertIn(process.returncode, [-signal.SIGINT, -signal.SIGTERM, CANCELLED])


class OnATerminal(ProgramTest):
    """The program between two ends of a pseudo-terminal of 100 columns."""

    def run_on_terminal(self, *arguments):
        primary, secondary = pty.openpty()
        fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.environment["TERM"] = "xterm-256color"
        process = self.start_program(*arguments, stdout=secondary, stderr=secondary)
        os.close(secondary)
        output = b""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if not select.select([primary], [], [], 1)[0]:
                continue
            try:
                data = os.read(primary, 65536)
            except OSError:  # the other end is closed
                break
            output += data
        os.close(primary)
        self.assertEqual(process.wait(timeout=60), 0, output)
        return output.decode()  # fails if a character was cut in two

    def test_the_search_is_shown_and_removed(self):
        output = self.run_on_terminal(*GENERATE, *SHORT, "-p", "rain", "--rain-draft-first", "off",
                                      "--rain-visits", "6", "Say something in Japanese: 日本語")
        self.assertIn("visit ", output)
        self.assertIn("rewinds", output)
        self.assertIn("\x1b[J", output)
        after_last_erase = output.rsplit("\x1b[J", 1)[1]
        self.assertNotIn("rewinds", after_last_erase)
        for line in re.findall(r"\x1b\[2m(.*?)\x1b\[0m", output):
            self.assertLess(len(line), 100)

    def test_columns(self):
        output = self.run_on_terminal(*GENERATE, *SHORT, "--compare", "sample,best-of-n", "-n", "2",
                                      "Hello")
        last = output.rsplit("\x1b[J", 1)[1]
        self.assertRegex(last, r"--- sample --- +--- best-of-n ---")
        self.assertRegex(last, r"\[\d+ tokens, .*\[\d+ tokens, ")


if __name__ == "__main__":
    program.main()
