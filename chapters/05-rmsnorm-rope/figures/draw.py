"""The pictures of chapter 5.

    python3 chapters/05-rmsnorm-rope/figures/draw.py [FOLDER]

Needs Python alone. Most are drawn from what the chapter's program writes with
--json, so `make chapter-05` comes first.
"""

import json
import math
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "book/figures"))
from style import (COLOURS, HAIR, INK, PAPER, SOFT, TINT, WIDE,  # noqa: E402
                   WIDTH, Plot, Svg, shade)

OUT = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE


def data(*options):
    done = subprocess.run(["./chapter-05/run", "--json", *map(str, options)], cwd=ROOT,
                          text=True, capture_output=True, check=False)
    return json.loads(done.stdout)      # another base: the check objects


def flow():
    """One word on its way: the stream above, a layer's branch below it."""
    svg = Svg(WIDE, 152)
    y, low, high, right = 24, 98, 20, WIDE - 4

    def box(x, top, width, words, fill=PAPER, colour=INK):
        svg.box(x, top - high / 2, width, high, fill)
        svg.text(x + width / 2, top + 3, words, 9, "middle", colour)

    box(2, y, 42, "id")
    svg.arrow(44, y, 58, y)
    box(58, y, 66, "row of a table")
    svg.arrow(124, y, right, y, COLOURS[0], 2)
    svg.text(152, y - 8, "stream", 9, colour=COLOURS[0])
    # The branch: a copy goes down, a result comes up and is added.
    svg.arrow(140, y, 140, low - high / 2)
    svg.text(144, y + 22, "copy", 8.5, colour=SOFT)
    box(118, low, 44, "norm", COLOURS[0], PAPER)
    for k, (name, row) in enumerate((("query", low - 34), ("key", low),
                                     ("value", low + 34))):
        svg.arrow(162, low, 184, row)
        box(184, row, 40, name, TINT)
        if k < 2:
            svg.arrow(224, row, 246, row)
            box(246, row, 40, "turn", COLOURS[0], PAPER)
            svg.arrow(286, row, 304, low - 17)
    svg.text(266, low + 22, "by the position", 8, "middle", SOFT)
    box(304, low - 17, 40, "score", TINT)
    svg.path(((344, low - 17), (360, low - 17)), INK, .7, "2 2")
    svg.path(((224, low + 34), (360, low + 34), (360, low - 17)), INK, .7,
             "2 2")
    svg.arrow(360, low - 17, 360, y + 8, INK)
    svg.add("circle", cx=360, cy=y, r=7, fill=PAPER, stroke=INK,
            stroke_width=.8)
    svg.text(360, y + 3.5, "+", 11, "middle")
    svg.text(356, y + 24, "chapter 6", 8.5, "end", SOFT)
    return svg


def norm(norm):
    """Each channel as a stroke, before and after, each over its own size."""
    svg = Svg(WIDTH, 200)
    for row, key in enumerate(("before", "after")):
        x = norm[key]
        size = math.sqrt(sum(v * v for v in x) / len(x))
        base = 78 + 96 * row
        left, right = 34, WIDTH - 8
        svg.text(2, base - 68, f"{key} the norm, in sizes of the vector", 9)
        for tick in (0, 10, 20):
            y = base - 2.8 * tick
            svg.line(left, y, right, y, HAIR, .3)
            svg.text(left - 4, y + 2.8, str(tick), 8, "end", SOFT)
        for i, v in enumerate(x):
            px = left + (right - left) * (i + .5) / len(x)
            high = 2.8 * abs(v) / size
            svg.line(px, base, px, base - high, COLOURS[0], .55)
            if i in (247, 308, 507):
                # Below the line of 10, which would strike it through.
                low = base - high + (11 if 9.5 < abs(v) / size < 13 else 6)
                svg.text(px + 3, low, str(i), 8, colour=INK)
    svg.text(WIDTH / 2, 197, "channel, 0 to 575", 9, "middle")
    return svg


def arrows():
    """The example for pencil: 30 degrees for each position."""
    svg = Svg(WIDTH, 150)
    for k, (m, n) in enumerate(((3, 1), (10, 8))):
        cx, cy, r = 85 + 160 * k, 78, 52
        svg.add("circle", cx=cx, cy=cy, r=r, fill="none", stroke=HAIR,
                stroke_width=.7)
        ends = {}
        for name, place, colour in (("query", m, COLOURS[0]),
                                    ("key", n, COLOURS[1])):
            angle = math.radians(30 * place)
            x, y = cx + r * math.cos(angle), cy - r * math.sin(angle)
            svg.arrow(cx, cy, x, y, colour, 1.6)
            out = 1.17
            svg.text(cx + out * (x - cx), cy + out * (y - cy) + 3,
                     f"{name}, {place}",
                     8.5, "middle" if abs(x - cx) < 15 else
                     "start" if x > cx else "end", colour)
            ends[name] = angle
        arc = [(cx + 18 * math.cos(a), cy - 18 * math.sin(a)) for a in
               (ends["key"] + (ends["query"] - ends["key"]) * i / 20
                for i in range(21))]
        svg.path(arc, INK, .8)
        mid = (ends["key"] + ends["query"]) / 2
        svg.text(cx + 29 * math.cos(mid), cy - 29 * math.sin(mid) + 3,
                 "60°", 8.5, "middle")
        svg.text(cx, 147, f"positions {m} and {n}: product 1/2", 9, "middle")
    return svg


def pairs():
    """Which two numbers of a head of eight turn together."""
    svg = Svg(WIDTH, 112)
    for row, (title, couples) in enumerate((
            ("neighbours", [(2 * i, 2 * i + 1) for i in range(4)]),
            ("halves", [(i, i + 4) for i in range(4)]))):
        y = 16 + 66 * row
        svg.text(2, y + 14, title, 9)
        for i in range(8):
            pair = next(k for k, c in enumerate(couples) if i in c)
            svg.box(70 + 31 * i, y, 27, 20, shade((.08, .3, .55, .8)[pair]))
            svg.text(83.5 + 31 * i, y + 13.5, str(i), 9, "middle",
                     INK if pair < 2 else "#ffffff")
        for k, (a, b) in enumerate(couples):
            xa, xb = 83.5 + 31 * a, 83.5 + 31 * b
            top = y - (8 if row == 0 else 6 + 5 * k)
            svg.path(((xa, y), (xa, top), (xb, top), (xb, y)), SOFT, .8)
    return svg


def periods():
    plot = Plot((0, 31), (5, 4e6), height=200, log_y=True,
                x_label="pair", y_label="one turn in so many positions",
                margins=(44, 14, 66, 32))
    plot.ticks((0, 8, 16, 24, 31), [(10 ** k, f"{10 ** k:,}")
                                    for k in range(1, 7)])
    for k, base in enumerate((10000, 100000, 500000)):
        turns = [2 * math.pi / f for f in data("--theta", base)["frequencies"]]
        plot.curve(list(enumerate(turns)), k, f"base {base:,}", 4, 3, "start")
    x0, y = plot.at(0, 8192)
    x1, _ = plot.at(31, 8192)
    plot.line(x0, y, x1, y, INK, .6, "1 2")
    plot.text(x1 + 4, y + 6, "training: 8,192", 8)
    return plot


def scores(maps):
    """The score over m and n: for each way, 30 x 30 cells."""
    svg = Svg(WIDE, 158)
    cell, n = 3.9, 30
    for k, (key, title) in enumerate((("adjacent", "both in neighbours"),
                                      ("halves", "both in halves"),
                                      ("mixed", "query one, key the other"))):
        flat = [v for row in maps[key] for v in row]
        low, high = min(flat), max(flat)
        left, top = 18 + k * 127, 22
        svg.text(left + cell * n / 2, 14, title, 9, "middle")
        for i, row in enumerate(maps[key]):
            for j, v in enumerate(row):
                svg.add("rect", x=left + j * cell, y=top + i * cell,
                        width=cell + .1, height=cell + .1,
                        fill=shade((v - low) / (high - low)))
        svg.text(left + cell * n / 2, top + cell * n + 12,
                 "key at n, 0 to 29", 8, "middle", SOFT)
    svg.text(2, 22 + cell * n / 2, "m", 9, style="italic")
    return svg


def scaling(methods):
    plot = Plot((0, 31), (0.9, 4.3), height=155, x_label="pair",
                y_label="how many times slower")
    plot.ticks((0, 8, 16, 24, 31), (1, 2, 3, 4))
    places = {"linear": (4, 4.08), "NTK": (3, 1.45), "YaRN": (11, 2.7),
              "Llama 3": (18.3, 1.5)}
    for k, (name, method) in enumerate(methods.items()):
        plot.curve(list(enumerate(method["factors"])), k)
        x, y = plot.at(*places[name])
        plot.text(x, y, name, 8.5, "start", COLOURS[k])
    return plot


def main():
    OUT.mkdir(exist_ok=True)
    plain = data()
    flow().save(OUT / "flow.svg")
    norm(plain["norm"]).save(OUT / "norm.svg")
    arrows().save(OUT / "arrows.svg")
    pairs().save(OUT / "pairs.svg")
    periods().save(OUT / "periods.svg")
    scores(plain["scores"]).save(OUT / "scores.svg")
    scaling(plain["scaling"]).save(OUT / "scaling.svg")


main()
