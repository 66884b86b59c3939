"""Compares every step of the engine with the same step in numpy, and names
the first that differs.

    python3 reference/trace_diff.py [--model FILE] [--prompt TEXT]
        [--limit X] [--program ./chapter-08/run]

The engine writes a trace with activations and cache as floats; llama.py
computes the same tokens in double. So this is about the flow of a pass, not
about products of 8-bit codes or a cache of halves, which round more than most
faults show. A difference is the largest of a step, divided by the step's
largest number. Ends with 1 where one is beyond its limit, with 2 where
nothing can be compared.
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


def limit_of(model, name):
    """A float is rounded by 2^-24 of itself, and n roundings of either sign
    add up to sqrt(n) of them. The longest sum of a layer has max(d_ff,
    d_model) products, and d_model in front of ffn_down; each layer adds its
    own error to those in front of it, all of one sign at the worst."""
    longest = max(model.d_model, model.key("llama.feed_forward_length"))
    if name.startswith("blk."):
        before = int(name.split(".")[1])
    else:
        before = 0 if name == "embedding" else model.n_layers
    down = name.endswith(("ffn_down", "ffn_residual"))
    sums = before * np.sqrt(longest) + np.sqrt(longest if down
                                               else model.d_model)
    return SLACK * ROUNDING * sums


def trace_of(program, path, prompt):
    """Ids and named steps of the engine's pass."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.gguf"
        done = subprocess.run([
            str(program), "-m", str(path), "-p", prompt, "-q", "--trace",
            str(trace), "--activations", "f32", "-ctk", "f32"],
            check=False, cwd=ROOT, stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            sys.exit(2)                 # it has said why
        reader = gguf.GGUFReader(trace)
        steps = {t.name: np.array(t.data) for t in reader.tensors}
        return reader.get_field("trace.ids").contents(), steps


def difference(got, want):
    """NaN where a number is none; no number passes a limit then."""
    scale = max(np.abs(want).max(), 1e-30)
    return float(np.abs(got - want).max() / scale)


def compare(model, ids, steps, limit=None):
    """Name, difference and limit of each step, in the order of computing.
    """
    found = []

    def see(name, values):
        got = steps.get(name)
        same = got is not None and got.shape == values.shape
        found.append((name, difference(got, values) if same else np.nan,
                      limit_of(model, name) if limit is None else limit))
        if name.endswith("ffn_residual"):
            model.decoded.clear()       # a layer is not needed again
    model.forward(ids, observe=see)
    return found


def first_beyond(found):
    return next((name for name, off, limit in found if not off <= limit),
                None)


def table(found):
    """A line for each kind of step: the layer nearest to its limit, or
    farthest beyond it."""
    worst = {}
    for name, off, limit in found:
        kind = name.split(".")[-1]
        if kind not in worst \
                or not off * worst[kind][2] <= worst[kind][1] * limit:
            worst[kind] = (name, off, limit)
    yield f"{'step':14} {'largest difference':>19}   {'where':22} limit"
    for kind, (name, off, limit) in worst.items():
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
    found = compare(model, ids, steps, args.limit)
    print(*table(found), sep="\n")
    first = first_beyond(found)
    print(f"{len(ids)} tokens, {len(found)} steps, floats throughout: "
          + (f"the first that differs is {first}" if first else
             "none differs"))
    return first is not None


if __name__ == "__main__":
    sys.exit(main())
