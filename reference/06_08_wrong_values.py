"""What a real model makes of the mistakes in wrong/ of chapters 06 to 08: a
text continued, and a text scored, with each of them built into the engine, or
into the converter that the model went through.

Needs a compiler, make, and SmolLM2 (make smollm2); some minutes. Perplexities
have three digits, because machines with other kernels differ in the fifth.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import check_wrong  # noqa: E402

MODEL = ROOT / "data/models/SmolLM2-135M-Instruct.Q4_1.gguf"
TEXT, LENGTH = "data/tiny.txt", 3000    # the first LENGTH characters of it
PROMPT = "The capital of France is"


def output(*command):
    return subprocess.run([*map(str, command)], cwd=ROOT, check=True,
                          text=True, capture_output=True).stdout


class Bench:
    def __init__(self, scratch):
        self.scratch = Path(scratch)
        self.build = os.environ.get("OUT", scratch)
        flags = output("make", "-s", f"OUT={self.build}", "test-parts")
        self.compiler = flags.splitlines()[0].split()
        self.text = self.scratch / "text"
        self.text.write_text((ROOT / TEXT).read_text()[:LENGTH])

    def program(self, chapter):
        path = f"{self.build}/chapter-{chapter}/run"
        output("make", "-s", f"OUT={self.build}", path)
        return path

    def with_wrong(self, wrong, work):
        """What `work` returns with a mistake in place of the right code."""
        if wrong is None:
            return work()
        _, replaced, _ = check_wrong.facts(wrong)
        source = self.scratch / Path(replaced).name
        source.write_text(check_wrong.wrong_source(wrong))
        compiled = Path(self.build) / Path(replaced).with_suffix(".o")
        output("make", "-s", f"OUT={self.build}", compiled)
        output(*self.compiler, "-c", "-o", compiled, source)
        try:
            return work()
        finally:
            compiled.unlink()           # make builds the right one again

    def perplexity(self, model=MODEL, *options):
        made = output(self.program("08"), "-q", "-m", model, "--perplexity",
                      self.text, "--json", *options)
        return float(f"{json.loads(made)['perplexity']:.3g}")

    def says(self, *options, model=MODEL):
        made = output(self.program("08"), "-q", "-m", model, "-p", PROMPT,
                      "--temp", "0", "-n", "24", *options)
        return " ".join(made.split())

    def scored(self, model=MODEL, **contexts):
        """Perplexities, and a text of a model that does not only babble."""
        found = {name: self.perplexity(model, "-c", str(n))
                 for name, n in contexts.items()}
        if max(found.values()) < 1000:
            found["says"] = self.says(model=model)
        return found

    def engine(self):
        """Windows that one span of attention covers, and longer ones."""
        return self.scored(short=128, long=512)

    def converter(self):
        model = self.scratch / "model.gguf"
        output(self.program("07"), "convert", MODEL, model, "--type", "q4_0")
        return model

    def converted(self, wrong):
        model = self.with_wrong(wrong, self.converter)
        return self.scored(model, perplexity=4096)

    def penalised(self):
        return {"says": self.says("--repeat-penalty", "2")}


def main():
    if not MODEL.exists():
        print("  left as it is: make smollm2 fetches the model for it")
        return
    wrong = {Path(path).stem: path for path in check_wrong.wrong_files()}
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(scratch)
        values = {"06-attention": {}, "07-quantization": {}, "08-llama": {}}

        def note(folder, name, made):
            values[folder][name] = made
            print(f"  {folder}: {name}", flush=True)

        right = bench.engine()
        note("06-attention", "right", right)
        note("06-attention", "forgotten_rescale", bench.with_wrong(
            wrong["forgotten_rescale"], bench.engine))
        note("07-quantization", "right", bench.converted(None))
        for name in ("nibbles_as_neighbours", "farthest_without_sign"):
            note("07-quantization", name, bench.converted(wrong[name]))
        note("08-llama", "right", right | {"penalised": bench.penalised()})
        for name in ("gate_for_up", "angles_of_the_batch"):
            note("08-llama", name, bench.with_wrong(wrong[name],
                                                    bench.engine))
        note("08-llama", "penalty_rewards", bench.with_wrong(
            wrong["penalty_rewards"], bench.penalised))
    for folder, found in values.items():
        facts = {"prompt": PROMPT, "text": TEXT, "length": LENGTH}
        path = ROOT / "chapters" / folder / "expected/wrong.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(facts | found, indent=2,
                                   ensure_ascii=False) + "\n")


main()
