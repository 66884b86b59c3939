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
    """Two words, the key of one and the query of the other: their score."""
    svg = Svg(WIDE, 206)
    high, right = 19, WIDE - 4
    top, bottom = 22, 176           # the streams
    key, value, score, query = 84, 52, 106, 128

    def box(x, y, width, words, fill=PAPER, colour=INK):
        svg.box(x, y - high / 2, width, high, fill)
        svg.text(x + width / 2, y + 3, words, 9, "middle", colour)

    for y, word, place, inner in ((top, "animal", "n", (value, key)),
                                  (bottom, "it", "m", (query,))):
        svg.text(2, y + 3, word, 9.5, style="italic")
        svg.text(32 if word == "animal" else 11, y + 3, f" at {place}", 9.5)
        svg.arrow(62, y, right, y, COLOURS[0], 2)
        middle = sum(inner) / len(inner)
        towards = 1 if middle > y else -1
        svg.text(66, y - towards * 7 + 3, "stream", 8.5, colour=COLOURS[0])
        svg.arrow(90, y, 90, middle - towards * high / 2)
        svg.text(94, (y + middle - towards * high / 2) / 2 + 3, "copy", 8.5,
                 colour=SOFT)
        box(70, middle, 40, "norm", COLOURS[0], PAPER)
        for row in inner:
            name = {value: "value", key: "key", query: "query"}[row]
            svg.arrow(110, middle, 134, row)
            box(134, row, 42, name, TINT)
    for row, place in ((key, "n"), (query, "m")):
        svg.arrow(176, row, 196, row)
        box(196, row, 62, f"turn by {place} \u03c9", COLOURS[0], PAPER)
        svg.arrow(258, row, 276, score)
    box(276, score, 40, "score", TINT)
    svg.path(((316, score), (346, score)), INK, .7, "2 2")
    svg.path(((176, value), (346, value), (346, score)), INK, .7, "2 2")
    svg.arrow(346, score, 346, bottom - 8, INK)
    svg.text(342, score + 36, "chapter 6", 8.5, "end", SOFT)
    svg.add("circle", cx=346, cy=bottom, r=7, fill=PAPER, stroke=INK,
            stroke_width=.8)
    svg.text(346, bottom + 3.5, "+", 11, "middle")
    return svg


def turn():
    """Where a rotation comes from: two arrows of length one, then a point."""
    svg = Svg(WIDE, 146)
    beta = math.radians(30)
    c, s, unit = math.cos(beta), math.sin(beta), 92

    def axes(ox, oy, left):
        svg.arrow(ox - left, oy, ox + 112, oy, SOFT)
        svg.arrow(ox, oy + 12, ox, oy - 108, SOFT)

    ox, oy = 88, 124
    axes(ox, oy, 64)
    arc = [(ox + unit * math.cos(t * math.pi / 40),
            oy - unit * math.sin(t * math.pi / 40)) for t in range(-1, 29)]
    svg.path(arc, HAIR, .7)
    svg.arrow(ox, oy, ox + unit, oy, SOFT, 1)
    svg.arrow(ox, oy, ox, oy - unit, SOFT, 1)
    for k, (x, y) in enumerate(((c, s), (-s, c))):
        px, py = ox + unit * x, oy - unit * y
        svg.line(px, py, px, oy, INK, .5, "2 2")
        svg.line(px, py, ox, py, INK, .5, "2 2")
        svg.arrow(ox, oy, px, py, COLOURS[k], 1.8)
    svg.text(ox + unit * c + 5, oy - unit * s, "(cos \u03b2, sin \u03b2)", 9,
             colour=COLOURS[0])
    svg.text(ox - unit * s - 6, oy - unit * c - 11,
             "(\u2212sin \u03b2, cos \u03b2)", 9, "middle", COLOURS[1])
    svg.text(ox + unit - 4, oy + 11, "(1, 0)", 9, "middle", SOFT)
    svg.text(ox + 4, oy - unit - 5, "(0, 1)", 9, colour=SOFT)
    for start in (0, math.pi / 2):
        svg.path([(ox + 26 * math.cos(start + beta * t / 10),
                   oy - 26 * math.sin(start + beta * t / 10))
                  for t in range(11)], INK, .8)
    svg.text(ox + 34, oy - 6, "\u03b2", 9.5)
    svg.text(ox - 13, oy - 33, "\u03b2", 9.5)

    ox, x, y = 246, .78, .85
    axes(ox, oy, 30)
    ex, ey = ox + unit * x * c, oy - unit * x * s
    px, py = ex - unit * y * s, ey - unit * y * c
    svg.arrow(ox, oy, ox + unit * x, oy - unit * y, SOFT, 1)
    svg.arrow(ox, oy, ox + unit * x, oy, SOFT, 1.4)
    svg.arrow(ox + unit * x, oy, ox + unit * x, oy - unit * y, SOFT, 1.4)
    svg.text(ox + unit * x + 4, oy - unit * y, "(x, y)", 9, colour=SOFT)
    svg.arrow(ox, oy, ex, ey, COLOURS[0], 1.8)
    svg.arrow(ex, ey, px, py, COLOURS[1], 1.8)
    svg.arrow(ox, oy, px, py, INK, 1.4)
    svg.text(ox + unit * x + 4, ey + 8, "x times the first", 8.5,
             colour=COLOURS[0])
    svg.text(px + 12, py + 12, "y times the second", 8.5, colour=COLOURS[1])
    svg.text(px + 4, py - 4, "(x\u2032, y\u2032)", 9)
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
            svg.box(70 + 31 * i, y, 27, 20, shade((0, .14, .28, .42)[pair]))
            svg.text(83.5 + 31 * i, y + 13.5, str(i), 9, "middle")
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
    plot.text(x1 + 4, y + 3, "8,192", 8)
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
                 "key at n, 0 to 29", 9, "middle", SOFT)
        for place in (0, 29):
            svg.text(left - 3, top + cell * (place + .5) + 3, str(place), 8,
                     "end", SOFT)
    svg.text(2, 22 + cell * n / 2, "m", 9, style="italic")
    return svg


def scaling(methods):
    plot = Plot((0, 31), (0.9, 4.3), height=155, x_label="pair",
                y_label="how many times slower")
    plot.ticks((0, 8, 16, 24, 31), (1, 2, 3, 4))
    places = {"linear": (4, 4.08), "NTK": (3, 1.45), "YaRN": (11, 2.7),
              "Llama 3": (18.6, 1.45)}
    names = {"Llama 3": "Llama 3.1"}
    for k, (name, method) in enumerate(methods.items()):
        plot.curve(list(enumerate(method["factors"])), k)
        x, y = plot.at(*places[name])
        plot.text(x, y, names.get(name, name), 8.5, "start", COLOURS[k])
    return plot


def main():
    OUT.mkdir(exist_ok=True)
    plain = data()
    flow().save(OUT / "flow.svg")
    norm(plain["norm"]).save(OUT / "norm.svg")
    arrows().save(OUT / "arrows.svg")
    turn().save(OUT / "turn.svg")
    pairs().save(OUT / "pairs.svg")
    periods().save(OUT / "periods.svg")
    scores(data("--head", 6)["scores"]).save(OUT / "scores.svg")
    scaling(plain["scaling"]).save(OUT / "scaling.svg")


main()
