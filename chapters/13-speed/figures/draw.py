"""The pictures of chapter 13, and its numbers, from measured.json beside it.

    python3 chapters/13-speed/figures/draw.py [FOLDER]
"""

import json
import sys
from math import log10
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "book/figures"))
from style import (COLOURS, INK, SOFT, TINT, WIDTH, Plot,  # noqa: E402
                   Svg)

OUT = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
DATA = json.loads((HERE / "measured.json").read_text())
BYTES = 18 / 32                 # of a number in Q4_0


def roofline():
    """Multiply-adds a second over multiply-adds for a byte, and the limits
    that were measured beside them."""
    limits = DATA["roofline"]["limits"]
    memory = limits["memory_bytes_per_second"] / 1e9
    peak = limits["q8_multiply_adds_per_second"] / 1e9
    plot = Plot((1, 2000), (1, 2000), log_x=True, log_y=True, height=210,
                x_label="multiply-adds for each byte that is read",
                y_label="G multiply-adds a second")
    plot.ticks([1, 10, 100, 1000], [1, 10, 100, 1000])
    edge = peak / memory
    plot.path([plot.at(1, memory), plot.at(edge, peak),
               plot.at(2000, peak)], INK, 1.3)
    x, y = plot.at(edge / 3.5, peak / 2.6)
    plot.text(x, y, f"memory: {memory:.0f} GB/s", 8.5, "end")
    x, y = plot.at(2000, peak * 1.25)
    plot.text(x, y, f"arithmetic: {peak:.0f} G/s", 8.5, "end")
    for n, found in DATA["roofline"]["points"].items():
        x, y = plot.at(int(n) / BYTES,
                       found["multiply_adds_per_second"] / 1e9)
        plot.add("circle", cx=x, cy=y, r=2.4, fill=COLOURS[1])
        plot.text(x + 3, y + 9, n, 7.5, colour=SOFT)
    plot.save(OUT / "roofline.svg")


def waterfall():
    """What each step leaves of the time of one token; each factor of ten
    has the same length."""
    steps = DATA["steps"]
    row, left, right = 17, 78, WIDTH - 42
    svg = Svg(WIDTH, 2 * (row * len(steps) + 24))
    y = 10
    for what, title in (("written", "a token written"),
                        ("read", "a token of a prompt read")):
        svg.text(2, y, f"Milliseconds for {title}", 9)
        least, most = (pick(s[what] for s in steps.values())
                       for pick in (min, max))
        before = steps[next(iter(steps))][what]
        for name, found in steps.items():
            width, was = ((right - left) * (log10(v / least) + .3)
                          / (log10(most / least) + .3)
                          for v in (found[what], before))
            y += row
            svg.text(left - 5, y + 1, name, 8.5, "end")
            svg.box(left, y - 8, was, row - 6, TINT, TINT, 0, round_=0)
            svg.box(left, y - 8, width, row - 6, COLOURS[0], COLOURS[0], 0,
                    round_=0)
            ms = 1e3 * found[what]
            svg.text(left + max(width, was) + 4, y + 1,
                     f"{ms:.0f}" if ms >= 100 else f"{ms:.2g}", 8.5)
            before = found[what]
        y += 24
    svg.save(OUT / "waterfall.svg")


def values():
    """What the text quotes, in the units of the text."""
    limits = DATA["lab"]["limits"]
    said = {name: round(limits[key] / 1e9, 1) for name, key in (
        ("memory", "memory_bytes_per_second"),
        ("q8", "q8_multiply_adds_per_second"),
        ("f32", "f32_multiply_adds_per_second"))}
    most = DATA["roofline"]["points"]["512"]["multiply_adds_per_second"]
    said["reached"] = round(100 * most / DATA["roofline"]["limits"][
        "q8_multiply_adds_per_second"])
    (OUT / "values.json").write_text(json.dumps(said, indent=1) + "\n")


roofline()
waterfall()
values()
