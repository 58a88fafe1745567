"""--output: killed at any instant, a run goes on where it stopped, with the same answers."""

import json
import random
import signal
import subprocess
import time

import program
from program import EXHAUSTED, GENERATE, INVALID_ARGUMENT, IO, ProgramTest, limit_file_size

TOPICS = ["the sea", "bread", "rain", "iron", "sleep", "bees", "snow", "trains", "the moon", "salt"]


class Resume(ProgramTest):
    def setUp(self):
        super().setUp()
        # A prompt that occurs twice is two prompts.
        prompts = [f"What is {topic}?" for topic in TOPICS] + ["What is bread?"]
        self.count = len(prompts)
        self.input = self.write("in.jsonl", "".join(
            json.dumps({"id": i, "prompt": prompt}) + "\n" for i, prompt in enumerate(prompts)))
        self.output = self.folder / "out.jsonl"

    def arguments(self, output, *more):
        return [*GENERATE, "--deterministic", "--max-tokens", "10", "--input", self.input,
                "--output", output, *more]

    def answers(self, path):
        lines = path.read_text().splitlines()
        self.assertEqual(json.loads(lines[0])["schema"], "plumbline.run/1")
        records = [json.loads(line) for line in lines[1:]]
        self.assertEqual(len({record["key"] for record in records}), len(records))
        return {record["id"]: record["answer"]["text"] for record in records}

    def test_killed_at_random_instants(self):
        whole = self.folder / "whole.jsonl"
        self.expect_success(*self.arguments(whole, "--parallel", "1"))
        expected = self.answers(whole)
        self.assertEqual(len(expected), self.count)

        source = random.Random(7)
        kills = 0
        finished = 0
        while True:
            process = self.start_program(*self.arguments(self.output, "--parallel", "3"),
                                         stderr=subprocess.DEVNULL)
            lines = self.lines_in_output()
            # Wait until something new is there, and then for a random while.
            while process.poll() is None and self.lines_in_output() == lines:
                time.sleep(0.01)
            try:
                process.wait(timeout=source.uniform(0, 0.3))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
            if process.returncode == 0:
                break
            self.assertEqual(process.returncode, -signal.SIGKILL)
            kills += 1
            self.assertGreaterEqual(self.lines_in_output(), finished)  # nothing finished is lost
            finished = self.lines_in_output()
            if kills % 2:  # what a kill in the middle of a write leaves
                with self.output.open("ab") as file:
                    file.write(b'{"schema":"plumbline.answer/1","key":"12')
            self.assertLess(kills, 40)
        self.assertGreater(kills, 0)
        self.assertEqual(self.answers(self.output), expected)
        again = self.expect_success(*self.arguments(self.output))
        self.assertIn(b"nothing is left to do", again.stderr)

    def lines_in_output(self):
        return self.output.read_bytes().count(b"\n") if self.output.exists() else 0

    def test_a_disk_that_fills_up(self):
        self.expect_failure(IO, ["out.jsonl"], *self.arguments(self.output, "--parallel", "1"),
                            preexec_fn=limit_file_size(4000))
        part = self.answers(self.output)
        self.assertTrue(0 < len(part) < self.count)
        self.expect_success(*self.arguments(self.output))
        whole = self.answers(self.output)
        self.assertEqual(len(whole), self.count)
        self.assertLessEqual(part.items(), whole.items())

    def test_other_settings_are_refused_by_name(self):
        self.expect_success(*self.arguments(self.output, "--limit", "1"))
        before = self.output.read_bytes()
        self.expect_failure(INVALID_ARGUMENT,
                            ["temperature (1.0 there, 0.5 now)", "seed (0 there, 4 now)"],
                            *self.arguments(self.output, "--temperature", "0.5", "--seed", "4"))
        self.assertEqual(self.output.read_bytes(), before)

    def test_one_run_at_a_time(self):
        process = self.start_program(*self.arguments(self.output), stderr=subprocess.DEVNULL)
        while self.lines_in_output() == 0 and process.poll() is None:
            time.sleep(0.01)
        self.expect_failure(EXHAUSTED, ["in use by another run"], *self.arguments(self.output))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), program.CANCELLED)


if __name__ == "__main__":
    program.main()
