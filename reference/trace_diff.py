"""Compares every step of the engine with the same step in numpy, and names
the first that differs.

    python3 reference/trace_diff.py [--model FILE] [--prompt TEXT]
        [--limit X] [--program ./chapter-08/run]

The engine writes a trace with activations and cache as floats; llama.py
computes the same tokens in double. A difference is the largest of a step,
divided by the step's largest number. Ends with 1 where one is beyond the
limit.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np

from llama import Llama

ROOT = Path(__file__).resolve().parent.parent
ROUNDING = 2.0 ** -24
# Beside the sums of n products each step adds: roundings of norms, of
# exponentials, of the sums of attention.
SLACK = 4


def limit_of(model):
    """A float is rounded by 2^-24 of itself, and n roundings of either sign
    add up to sqrt(n) of them. The longest sum of a layer has max(d_ff,
    d_model) products; each layer adds its own error to those in front of
    it, all of one sign at the worst."""
    longest = max(model.d_model, model.key("llama.feed_forward_length"))
    return SLACK * ROUNDING * np.sqrt(longest) * model.n_layers


def trace_of(program, path, prompt):
    """Ids and named steps of the engine's pass."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.gguf"
        subprocess.run([str(program), "-m", str(path), "-p", prompt, "-q",
                        "--trace", str(trace), "--activations", "f32",
                        "-ctk", "f32"], check=True, cwd=ROOT,
                       stdout=subprocess.DEVNULL)
        reader = gguf.GGUFReader(trace)
        steps = {t.name: np.array(t.data) for t in reader.tensors}
        return reader.get_field("trace.ids").contents(), steps


def difference(got, want):
    """NaN where a number is none; no number passes a limit then."""
    scale = max(np.abs(want).max(), 1e-30)
    return float(np.abs(got - want).max() / scale)


def compare(model, ids, steps):
    """Name and difference of each step, in the order of computing."""
    found = []

    def see(name, values):
        got = steps.get(name)
        same = got is not None and got.shape == values.shape
        found.append((name, difference(got, values) if same else np.nan))
        if name.endswith("ffn_residual"):
            model.decoded.clear()       # a layer is not needed again
    model.forward(ids, observe=see)
    return found


def first_beyond(found, limit):
    return next((name for name, off in found if not off <= limit), None)


def table(found, limit):
    """A line for each kind of step: its worst layer."""
    worst = {}
    for name, off in found:
        kind = name.split(".")[-1]
        if kind not in worst or not off <= worst[kind][1]:
            worst[kind] = (name, off)
    yield f"{'step':14} {'largest difference':>19}   {'where':22} limit"
    for kind, (name, off) in worst.items():
        mark = "" if off <= limit else "   DIFFERS"
        yield f"{kind:14} {off:19.1e}   {name:22} {limit:.1e}{mark}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default=ROOT / "data/tiny.gguf")
    parser.add_argument("--prompt", default="The model reads a long story.")
    parser.add_argument("--limit", type=float)
    parser.add_argument("--program", default=ROOT / "chapter-08/run")
    args = parser.parse_args()
    ids, steps = trace_of(args.program, args.model, args.prompt)
    model = Llama(args.model)
    limit = args.limit or limit_of(model)
    found = compare(model, ids, steps)
    print(*table(found, limit), sep="\n")
    first = first_beyond(found, limit)
    print(f"{len(ids)} tokens, {len(found)} steps: "
          + (f"the first that differs is {first}" if first else
             "none differs"))
    return first is not None


if __name__ == "__main__":
    sys.exit(main())
