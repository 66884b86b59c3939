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
TRAINED = 8192                  # positions that the model was trained on
FAR = 16 * TRAINED - 1          # and the last of sixteen times as many


def float_angles(base, dim, far=FAR):
    """What is lost when an angle is a float: the largest error of a cosine at
    any position up to `far`, where it is, and its two causes there."""
    turns = base ** (-np.arange(0, dim, 2) / dim)
    positions = np.arange(far + 1)
    worst = {"cosine": 0.0}
    for pair, turn in enumerate(turns):
        speed = np.float32(turn)
        angle = (positions.astype(np.float32) * speed).astype(np.float64)
        error = np.abs(np.cos(angle) - np.cos(positions * turn))
        m = int(np.argmax(error))
        if error[m] > worst["cosine"]:
            worst = {"cosine": error[m], "position": m, "pair": pair,
                     "angle": abs(angle[m] - m * turn),
                     "of_speed": abs(m * float(speed) - m * turn),
                     "of_rounding": abs(angle[m] - m * float(speed))}
    return worst


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
    period = 2 * math.pi * base ** (np.arange(0, dim, 2) / dim)
    # What leaves the norm for the first word, and what its giant has of that.
    normed = x / size[:, None] * weight
    after = np.sqrt(np.mean(normed ** 2, axis=1))

    share = normed[WIDE] ** 2 / np.sum(normed[WIDE] ** 2)
    quiet = np.delete(normed[WIDE], second)
    recorded = read[f"blk.{LAYER}.attn_norm"]
    eps = reader.get_field(
        "llama.attention.layer_norm_rms_epsilon").contents()
    centred = x - np.mean(x, axis=1, keepdims=True)
    centred /= np.sqrt(np.mean(centred ** 2, axis=1) + eps)[:, None]
    beside = x / (size + eps)[:, None]

    def worst(computed):
        """What the program's check says of another norm."""
        return np.max(np.abs(computed * weight - recorded)
                      / np.maximum(np.abs(recorded), 2 ** -14))

    values = {
        "channels": x.shape[1],
        "giant": giant,
        "second": second,
        "first": {"size": size[0], "giant": x[0, giant],
                  "after": after[0],
                  "giant_after": abs(normed[0, giant])
                  / math.sqrt(x.shape[1])},
        "rest": {"smallest": size[1:].min(), "largest": size[1:].max()},
        "wide": {"size": size[WIDE], "after": after[WIDE],
                 "giant": x[WIDE, giant],
                 "ratio": x[WIDE, giant] / size[WIDE],
                 "share": 100 * share[second],
                 "without": np.sqrt(np.mean(quiet ** 2))},
        "weight": {"giant": weight[giant], "median": np.median(weight)},
        "weight_rank": int(np.sum(weight >= weight[second])),
        "weight_second": weight[second],
        "mean": {"largest": np.max(means)},
        "base": int(base),
        "period": {"first": period[0], "last": round(period[-1])},
        "slow_pairs": int(np.sum(period > 20 * 30)),
        "pairs": len(period),
        "float_angle": float_angles(base, dim),
        "float_angle_trained": float_angles(base, dim, TRAINED - 1)["cosine"],
        "check": {"largest": np.max(np.abs(recorded)),
                  "hidden": int(np.sum(np.abs(recorded[WIDE]) <= 2 ** -9
                                       * np.max(np.abs(recorded)))),
                  "mean_removed": worst(centred),
                  "eps_outside": worst(beside)},
        "float_spacing": float(np.spacing(np.float32(100000))),
    }
    OUT.write_text(json.dumps(values, indent=2, default=float) + "\n")


main()
