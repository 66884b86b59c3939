"""Numbers that the text of chapter 1 names, in Python's exact integers and in
numpy's formats; tests/test_chapter_01.py compares the program with them."""

import json
import math
from pathlib import Path

import gguf
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "chapters/01-tensor-sizes/expected/values.json"


def n_bytes(shape, name):
    kind = gguf.GGMLQuantizationType[name]
    block, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    assert shape[-1] % block == 0
    return math.prod(shape) // block * block_bytes


def missed():
    """Of all products of two bytes that do not fit in a byte, the share that
    looks right when it is asked whether it came out smaller."""
    pairs = [(a, b) for a in range(256) for b in range(256) if a * b > 255]
    seen = sum((a * b) % 256 < max(a, b) for a, b in pairs)
    return 1 - seen / len(pairs)


def mean_of_rounded():
    """The mean of a million numbers from 1 to 2 and of the same as F16,
    rounded and cut off, in units of F16's last place."""
    x = np.random.default_rng(1).uniform(1, 2, 1 << 20).astype(np.float32)
    cut = (x.view(np.uint32) & np.uint32(0xffffe000)).view(np.float32)
    unit = 2.0 ** -10
    return [float(np.mean(y.astype(np.float64) - x) / unit)
            for y in (x.astype(np.float16), cut)]


def values():
    cache, vocabulary = [32, 131072, 1024], [32000, 2048]
    f16, f32 = np.finfo(np.float16), np.finfo(np.float32)
    bf16_largest = np.uint32(0x7f7f0000).view(np.float32)
    return {
        "cache": {"elements": math.prod(cache),
                  "bytes": n_bytes(cache, "F32")},
        "vocabulary": {"elements": math.prod(vocabulary),
                       **{t: n_bytes(vocabulary, t)
                          for t in ("F32", "F16", "Q4_0")}},
        "likely": 3 * 1431655766,
        "negative": 32000 * 131072 - 2 ** 32,
        "size_max": f"{2 ** 64 - 1:,}",         # too large for JSON readers
        "percent_missed": 100 * missed(),
        "f16": {"largest": float(f16.max), "normal": float(f16.tiny),
                "subnormal": float(f16.smallest_subnormal),
                "gap": float(f16.eps), "tenth": float(np.float16(0.1)),
                "overflows": (float(f16.max) + 65536) / 2},
        "bf16": {"largest": float(bf16_largest), "normal": float(f32.tiny),
                 "gap": 2.0 ** -7, "tenth": 0.10009765625},
        "f32": {"largest": float(f32.max), "normal": float(f32.tiny),
                "gap": float(f32.eps), "tenth": float(np.float32(0.1))},
        "halves": 2 ** 16,
        "rounded": dict(zip(("nearest", "cut"), mean_of_rounded())),
    }


def main():
    OUT.write_text(json.dumps(values(), indent=1) + "\n")


if __name__ == "__main__":
    main()
