"""Numbers that the text of chapter 5 names, from data/trace.gguf.

    python reference/05_values.py [FILE]
"""

import json
import math
import sys
from pathlib import Path

import gguf
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
OUT = Path(sys.argv[1] if len(sys.argv) > 1 else
           ROOT / "chapters/05-rmsnorm-rope/expected/values.json")
LAYER, WIDE = 13, 18            # what the program shows without arguments
FAR = 131071                    # the last position of a Llama 3.1


def main():
    reader = gguf.GGUFReader(ROOT / "data/trace.gguf")
    read = {t.name: np.array(t.data, dtype=np.float64)
            for t in reader.tensors}
    x = read[f"blk.{LAYER}.input"]
    weight = read[f"blk.{LAYER}.attn_norm.weight"]
    size = np.sqrt(np.mean(x * x, axis=1))
    giant, second = (int(c) for c in np.argsort(-np.abs(x[WIDE]))[:2])
    base = reader.get_field("llama.rope.freq_base").contents()
    dim = reader.get_field("llama.rope.dimension_count").contents()
    means = [np.abs(np.mean(rows, axis=1))
             / np.sqrt(np.mean(rows ** 2, axis=1))
             for name, rows in read.items() if name.endswith(".input")]
    # What half a float's spacing does to a cosine at the end of a long text.
    turns = base ** (-np.arange(0, dim, 2) / dim)
    in_float = np.float32(FAR) * turns.astype(np.float32)
    period = 2 * math.pi * base ** (np.arange(0, dim, 2) / dim)

    values = {
        "channels": x.shape[1],
        "giant": giant,
        "second": second,
        "first": {"size": size[0], "giant": x[0, giant]},
        "rest": {"smallest": size[1:].min(), "largest": size[1:].max()},
        "wide": {"size": size[WIDE], "giant": x[WIDE, giant],
                 "ratio": x[WIDE, giant] / size[WIDE]},
        "weight": {"giant": weight[giant], "median": np.median(weight)},
        "weight_rank": int(np.sum(weight >= weight[second])),
        "weight_second": weight[second],
        "mean": {"largest": np.max(means)},
        "base": int(base),
        "period": {"first": period[0], "last": round(period[-1])},
        "slow_pairs": int(np.sum(period > 20 * 30)),
        "pairs": len(period),
        "float_angle": np.max(np.abs(np.cos(in_float.astype(np.float64))
                                     - np.cos(FAR * turns))),
        "float_spacing": float(np.spacing(np.float32(100000))),
    }
    OUT.write_text(json.dumps(values, indent=2, default=float) + "\n")


main()
