"""plumbline compare: from files of answers to a table, with the real default model as the judge."""

import json
import signal
import subprocess
import time

import program
from program import CANCELLED, INVALID_ARGUMENT, INVALID_INPUT, NOT_FOUND, ProgramTest

PROMPTS = ["How do I boil an egg?", "My neighbour is loud.", "Tell me about bees."]
KIND = ["Put it into boiling water for eight minutes.", "Talk to them calmly first.",
        "Bees live in hives and make honey."]
HARSH = ["Find out yourself, you idiot.", "Break their windows tonight.", "I hate you and bees."]


def answers(texts, procedure, prompts=None, settings=None):
    lines = [{"schema": "plumbline.run/1", "settings": settings or {}}]
    for i, (prompt, text) in enumerate(zip(prompts or PROMPTS, texts)):
        lines.append({"schema": "plumbline.answer/1", "key": f"{procedure}{i}", "index": i,
                      "procedure": procedure, "model": "M", "seconds": 0.5,
                      "messages": [{"role": "user", "content": prompt}],
                      "answer": {"text": text, "tokens": 8}, "usage": {"tokens_read": 80}})
    return "".join(json.dumps(line) + "\n" for line in lines)


class Compare(ProgramTest):
    def setUp(self):
        super().setUp()
        self.harsh = self.write("harsh.jsonl", answers(HARSH, "sample"))
        self.kind = self.write("kind.jsonl", answers(KIND, "rain"))
        self.judgements = self.folder / "judgements.jsonl"

    def arguments(self, *more):
        return ["compare", "--threads", "1", self.harsh, self.kind, *more]

    def test_the_kinder_run_has_the_higher_values(self):
        result = self.expect_success(*self.arguments("--output", self.judgements, "--json"))
        report = json.loads(result.stdout)
        self.assertEqual(report["schema"], "plumbline.comparison/1")
        self.assertEqual(report["judge"]["model"], program.MODEL.name)
        self.assertEqual([run["name"] for run in report["runs"]], ["harsh", "kind"])
        [paired] = report["paired"]
        self.assertEqual((paired["pairs"], paired["missing"]), (3, 0))
        self.assertGreater(paired["value_difference"]["estimate"], 0)
        gained = report["runs"][1]["good"] - report["runs"][0]["good"]
        self.assertEqual(paired["turned_good"] - paired["turned_bad"], gained)
        kept = self.judgements.read_bytes()
        self.assertEqual(len(kept.splitlines()), 1 + len(HARSH) + len(KIND))

        table = self.expect_success(*self.arguments("--output", self.judgements))
        self.assertIn(b"6 of 6 judgements are there already", table.stderr)
        for wanted in [program.MODEL.name, "template harmless", "against harsh", "missing"]:
            self.assertIn(wanted, table.stdout.decode())
        self.assertEqual(self.judgements.read_bytes(), kept)
        self.assertNotIn(b"\x1b", table.stdout + table.stderr)

    def test_interrupted_it_goes_on(self):
        many = [f"{text} {i}" for i in range(8) for text in KIND]
        prompts = [f"{prompt} {i}" for i in range(8) for prompt in PROMPTS]
        long = self.write("long.jsonl", answers(many, "sample", prompts))
        arguments = ["compare", "--threads", "1", long, "--output", self.judgements]
        process = self.start_program(*arguments, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE)
        while process.poll() is None and self.judged() < 4:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, CANCELLED, error)
        self.assertIn(b"run the same command again", error)
        before = self.judged()
        self.assertTrue(0 < before < len(many))
        again = self.expect_success(*arguments)
        self.assertIn(f"{before} of {len(many)} judgements", again.stderr.decode())
        self.assertEqual(self.judged(), len(many))

    def judged(self):
        return self.judgements.read_bytes().count(b"\n") - 1 if self.judgements.exists() else 0

    def test_a_judge_that_the_search_asked_is_named(self):
        own = {"file": program.MODEL.name, "bytes": program.MODEL.stat().st_size}
        settings = {"model": own, "judge-model": "", "align-to": "harmless"}
        rain = self.write("rain.jsonl", answers(KIND, "rain", settings=settings))
        arguments = ["compare", "--threads", "1", self.harsh, rain]
        same = self.expect_success(*arguments).stdout.decode()
        self.assertIn("rain was steered by this very judge", same)
        self.assertNotIn("harsh was steered", same)
        other = self.expect_success(*arguments, "--judge", "sentiment").stdout.decode()
        self.assertIn("rain was steered by the same model with another template", other)

    def test_errors(self):
        self.expect_failure(INVALID_ARGUMENT, ["no FILE is given"], "compare")
        self.expect_failure(NOT_FOUND, ["none.jsonl"], "compare", self.folder / "none.jsonl")
        self.expect_failure(NOT_FOUND, ["harmless"], *self.arguments("--judge", "harmles"))
        text = self.write("text.jsonl", "not JSON\n{}\n")
        self.expect_failure(INVALID_INPUT, ["text.jsonl:1: invalid JSON"], "compare", text)
        apart = self.write("apart.jsonl", answers(KIND, "rain", ["a?", "b?", "c?"]))
        self.expect_failure(INVALID_ARGUMENT, ["no prompt in common"], "compare", "--threads", "1",
                            self.harsh, apart)


if __name__ == "__main__":
    program.main()
