"""Expected values of chapter 5: RMSNorm (Zhang and Sennrich 2019, equation 4)
and RoPE (Su et al. 2021, equation 34)."""

import numpy as np

import expected
import models
from llama import rmsnorm, rope, rope_angles


def f32(values):
    """What a C program is given: numbers that float holds exactly."""
    return np.asarray(values, dtype=np.float32).astype(np.float64)


def norm_ref():
    ref = expected.Ref(__file__, "NAME.out = RMSNorm of NAME.x, with the"
                                 " weights NAME.weight and NAME.eps")
    random = models.Random(5)
    x = random.uniform(576)
    outlier = x.copy()
    outlier[[77, 310]] = [22548.0, -1100.0]     # as in SmolLM2's layers
    cases = [
        ("pencil", [1.0, 2.0, 2.0, 4.0], [1.0, 1.0, 2.0, 0.5], 1e-5),
        ("seven", random.uniform(7), random.norm(7), 1e-5),
        ("tiny", random.uniform(64), random.norm(64), 1e-5),
        ("smollm2", x, random.norm(576), 1e-5),
        ("outlier", outlier, random.norm(576), 1e-5),
        # Without eps this would be divided by almost nothing.
        ("small", random.uniform(64) * 1e-6, random.norm(64), 1e-6),
        ("zero", np.zeros(32), random.norm(32), 1e-6),
        ("large", random.uniform(64) * 1e15, random.norm(64), 1e-6),
    ]
    for name, values, weight, eps in cases:
        values, weight, eps = f32(values), f32(weight), f32(eps)
        ref.add(f"{name}.x", values)
        ref.add(f"{name}.weight", weight)
        ref.add(f"{name}.eps", eps)
        ref.add(f"{name}.out", rmsnorm(values, weight, eps))
    return ref


def llama3_factors(rope_dim, theta):
    """The factors of Llama 3.1: slow frequencies are divided by 8, fast ones
    stay, with a ramp between (factors 1 and 4, context 8192)."""
    frequency = theta ** (-2.0 * np.arange(rope_dim // 2) / rope_dim)
    turns = 8192 * frequency / (2 * np.pi)
    smooth = np.clip((turns - 1.0) / (4.0 - 1.0), 0.0, 1.0)
    return f32(1.0 / (smooth + (1.0 - smooth) / 8.0))


def halves(x, angles):
    """The other pairing: (i, i + rope_dim / 2)."""
    n = angles.shape[1]
    cos, sin = np.cos(angles)[:, None, :], np.sin(angles)[:, None, :]
    out = x.copy()
    out[..., :n] = x[..., :n] * cos - x[..., n:2 * n] * sin
    out[..., n:2 * n] = x[..., :n] * sin + x[..., n:2 * n] * cos
    return out


def rope_ref():
    ref = expected.Ref(__file__, """\
NAME.shape = head_dim, rope_dim; NAME.theta, NAME.scale, NAME.positions
NAME.factors where the frequencies are divided by some
NAME.frequencies = angle per position of each pair
NAME.out = NAME.x turned by each position; NAME.halves = the other pairing""")
    random = models.Random(34)
    cases = [
        ("pencil", 4, 4, 100.0, 1.0, None, [0, 1, 2]),
        ("tiny", 16, 16, 10000.0, 1.0, None, [0, 1, 7, 511]),
        ("smollm2", 64, 64, 100000.0, 1.0, None, [1, 100, 8191]),
        ("partial", 24, 8, 10000.0, 1.0, None, [3, 1000]),
        ("linear", 16, 16, 10000.0, 4.0, None, [5, 8000]),
        ("llama3", 64, 64, 500000.0, 1.0, llama3_factors(64, 500000.0),
         [9, 131071]),
    ]
    for name, head_dim, rope_dim, theta, scale, factors, positions in cases:
        x = f32(random.uniform(head_dim))
        angles = rope_angles(positions, rope_dim, theta, scale, factors)
        rows = np.tile(x, (len(positions), 1, 1))
        ref.add(f"{name}.shape", [head_dim, rope_dim])
        ref.add(f"{name}.theta", theta)
        ref.add(f"{name}.scale", scale)
        ref.add(f"{name}.positions", positions)
        if factors is not None:
            ref.add(f"{name}.factors", factors)
        ref.add(f"{name}.frequencies",
                rope_angles([1], rope_dim, theta, scale, factors)[0])
        ref.add(f"{name}.x", x)
        ref.add(f"{name}.out", rope(rows, angles)[:, 0])
        ref.add(f"{name}.halves", halves(rows, angles)[:, 0])
    return ref


def make():
    folder = "05-rmsnorm-rope/expected"
    yield f"{folder}/norm.ref", norm_ref()
    yield f"{folder}/rope.ref", rope_ref()


if __name__ == "__main__":
    expected.main(__doc__, make)
