"""Writes chapters/NN-*/expected/*.ref: the values that the C tests compare
with. The format is described in tests/ref.h.

Values are computed in float64 and written as float32, whose last digit is a
hundred times below the smallest limit and, unlike float64's, is the same
whichever way a machine's numpy adds.
"""

import argparse
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent


class Ref:
    def __init__(self, script, about):
        self.lines = [f"# made by reference/{Path(script).name},"
                      f" numpy {np.__version__}"]
        self.lines += [f"# {line}" for line in about.splitlines()]

    def add(self, name, values):
        values = np.atleast_1d(np.asarray(values, dtype=np.float64))
        assert values.ndim <= 4 and values.size > 0, name
        dims = " ".join(str(n) for n in values.shape)
        self.lines.append(f"{name} {dims}")
        line = ""
        for value in values.astype(np.float32).ravel():
            word = short_hex(float(value))
            if len(line) + 1 + len(word) > 78:
                self.lines.append(line)
                line = ""
            line = f"{line} {word}" if line else word
        self.lines.append(line)

    def write(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(self.lines) + "\n", encoding="ascii")


def short_hex(value):
    """float.hex() without the zeros at the end."""
    head, mark, power = value.hex().partition("p")
    if "." in head:
        head = head.rstrip("0").rstrip(".")
    return head + mark + power


def main(about, make):
    """make() yields pairs of a path below chapters/ and a Ref."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--output", default=ROOT / "chapters", type=Path,
                        help="a folder to write to in place of chapters/")
    args = parser.parse_args()
    for path, ref in make():
        ref.write(args.output / path)
