"""Measure what the pictures of chapter 13 show; draw.py draws it.

    python3 chapters/13-speed/figures/measure.py [lab] [roofline] [steps]

Takes about ten minutes, wants a quiet machine, and writes measured.json; with
words only these parts of it.
"""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
MODEL = ROOT / "data/models/SmolLM2-135M-Instruct.Q4_1.gguf"
TEXT = "People counted with pebbles, with knots and with wheels. "
TOKENS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
# What chapter 8's program is told, step by step.
STEPS = (
    ("floats, plain C", ["--isa", "scalar", "--activations", "f32", "-t", 1]),
    ("codes, plain C", ["--isa", "scalar", "-t", 1]),
    ("8 lanes", ["--isa", "avx2", "-t", 1]),
    ("16 lanes", ["--isa", "avx512", "-t", 1]),
    ("all threads", []),
)


def run(*command):
    done = subprocess.run([*map(str, command)], cwd=ROOT, check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout)


def lab(*options):
    return run("chapter-13/run", "lab", *options, "--json")


def experiments():
    return {"limits": lab("limits"),
            **{name: lab(name)["versions"]
               for name in ("decode", "matmul", "attention")}}


def roofline():
    """Points, and the limits that were measured beside them. Up to four
    tokens every version is checked; beyond, the plain loop takes too long."""
    said = {n: lab("decode", "--tokens", n, *([] if n <= 4 else ["--best"]))
            for n in TOKENS}
    return {"limits": {key: median(s[key] for s in said.values())
                       for key in next(iter(said.values()))
                       if key.endswith("per_second")},
            "points": {n: s["versions"][-1] for n, s in said.items()}}


def step(options):
    """Seconds for a token, written and read: the median of three runs, with
    the same prompt for all steps."""
    said = sorted((run(
        "chapter-08/run", "-m", MODEL, "-p", TEXT * 6, "-n", 16,
        "--temp", 0, "--ignore-eos", "--json", *options) for _ in range(3)),
        key=lambda s: s["decode_tokens_per_second"])[1]
    return {"written": 1 / said["decode_tokens_per_second"],
            "read": 1 / said["prefill_tokens_per_second"]}


def rounded(found):
    """Four digits of each number: more are noise."""
    if isinstance(found, dict):
        return {key: rounded(value) for key, value in found.items()}
    if isinstance(found, list):
        return [rounded(value) for value in found]
    return float(f"{found:.4g}") if isinstance(found, float) else found


def main():
    parts = {"lab": experiments, "roofline": roofline, "steps": lambda: {
        name: step(options) for name, options in STEPS}}
    path = HERE / "measured.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    for name in sys.argv[1:] or parts:
        found[name] = rounded(parts[name]())
    path.write_text(json.dumps(found, indent=1) + "\n")


main()
