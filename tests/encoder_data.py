"""What encoders are measured on, for tools/compare_encoders.py and the test
that holds ours to what that found."""

from pathlib import Path

import gguf
import numpy as np
from gguf import quants

ROOT = Path(__file__).resolve().parent.parent
COLUMNS, ROWS = 1024, 24
# With importance, the types of 32 are searched too.
K_TYPES = ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]
SEARCHED = [*K_TYPES, "Q4_0", "Q4_1", "Q5_0", "Q5_1"]


def rows_of(model, kind):
    """All numbers that a file stores in this type, one behind the other."""
    numbers = np.concatenate([
        t.data.reshape(-1) for t in gguf.GGUFReader(model).tensors
        if t.tensor_type == kind])
    return numbers[:ROWS * COLUMNS].reshape(ROWS, COLUMNS)


def matrices(model):
    """Rows at random, with light tails and heavy ones, and weights of a real
    model. (Its matrices are Q4_1 in the file: types of four and five bits
    with a minimum have it easy with them, each encoder in its own way. Its
    norms never were on such a grid, nor was what data/tiny.gguf has as
    halves.) That we lose little against ggml is said of these, not of all
    rows: where only -0.03, 0 and 0.03 occur, our Q5_K has 1.14 of its
    error."""
    random = np.random.default_rng(20)
    size = (ROWS, COLUMNS)
    made = {"uniform": random.uniform(-1, 1, size),
            "normal": random.standard_normal(size),
            "heavy": random.standard_t(4, size),
            "shifted": random.standard_normal(size) + 1.5,
            "negative": -np.abs(random.standard_normal(size)) - 0.5,
            "norms": rows_of(model, gguf.GGMLQuantizationType.F32),
            "halves": rows_of(ROOT / "data/tiny.gguf",
                              gguf.GGMLQuantizationType.F16)}
    for tensor in gguf.GGUFReader(model).tensors:
        if tensor.name in (f"blk.{i}.ffn_down.weight" for i in (0, 14, 29)):
            made[tensor.name] = quants.dequantize(
                tensor.data[:ROWS], tensor.tensor_type)
    assert len(made) == 10
    return {name: np.ascontiguousarray(values, dtype=np.float32)
            for name, values in made.items()}


def importance(n):
    """As uneven as the mean squares of activations are."""
    return np.random.default_rng(n).lognormal(0, 1.5, n).astype(np.float32)


def error(values, found, weights=1.0):
    return float(np.sqrt(np.mean(weights * (values.astype(np.float64)
                                            - found) ** 2)))
