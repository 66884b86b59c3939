"""The pictures of chapter 1.

    python3 chapters/01-tensor-sizes/figures/draw.py [FOLDER]

Needs Python alone. types.svg is drawn from what the chapter's program says of
a tensor of 2^20 numbers, so `make chapter-01` comes first.
"""
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "book/figures"))
from style import (COLOURS, HAIR, INK, MONO, PAPER, SOFT,   # noqa: E402
                   TINT, WIDTH, Plot, Svg)


def cells(svg, x, y, words, width, height=14, fill=PAPER, colour=INK):
    """A row of small boxes with one letter each; where it ends."""
    for word in words:
        svg.box(x, y, width, height, fill, INK, .5, round_=0)
        svg.text(x + width / 2, y + height - 4, word, 7.5, "middle", colour,
                 font=MONO)
        x += width
    return x


def tensor():
    """[2, 3] as two rows of three, and the same six numbers in memory."""
    svg = Svg(WIDTH, 141)
    numbers = ("0.5", "1.0", "-2.0", "0.0", "3.5", "1.5")
    left, top, width, height = 54, 26, 34, 17
    for row in range(2):
        y = top + row * height
        svg.text(left - 8, y + 12, f"row {row}", 8, "end", SOFT)
        for column in range(3):
            x, n = left + column * width, 3 * row + column
            svg.box(x, y, width, height, (TINT, PAPER)[row], INK, .6,
                    round_=0)
            svg.text(x + width / 2, y + 12, numbers[n], 8, "middle",
                     font=MONO)
    for column in range(3):
        svg.text(left + (column + .5) * width, top - 6, f"column {column}",
                 8, "middle", SOFT)
    svg.text(192, top + 10, "shape [2, 3], F32", 9)
    svg.text(192, top + 23, "element (1, 2) is number 1 x 3 + 2 = 5,", 8.5)
    svg.text(192, top + 34, "20 bytes behind the start", 8.5)
    left, y, width = 12, 92, 51
    svg.text(left, y - 8, "in memory", 8, colour=SOFT)
    for n, word in enumerate(numbers):
        x = left + n * width
        svg.box(x, y, width, height, (TINT, PAPER)[n // 3], INK, .6,
                round_=0)
        svg.text(x + width / 2, y + 12, word, 8, "middle", font=MONO)
        svg.line(x, y + height, x, y + height + 4, SOFT)
        svg.text(x, y + height + 13, f"+{4 * n}", 8, "middle", SOFT)
    svg.arrow(left + 5.5 * width, y + height + 21, left + 5.5 * width,
              y + height + 3, COLOURS[1])
    svg.text(left + 5.5 * width, y + height + 27, "(1, 2)", 8.5, "middle")
    return svg


def wrap():
    """Three products in binary; an int keeps the lower 32 bits, and takes
    the highest of those for a sign."""
    svg = Svg(WIDTH, 116)
    step, left = 9.2, 22
    for row, (product, label, kept) in enumerate((
            (32 * 131072 * 1024, "32 x 131072 x 1024", "0"),
            (3 * 1431655766, "3 x 1431655766", "2"),
            (32000 * 131072, "32000 x 131072", "-100663296"))):
        y = 15 + 35 * row
        svg.text(left, y - 4, label, 8, font=MONO)
        svg.text(left + 33 * step, y - 4, f"an int keeps {kept}", 8.5, "end",
                 INK)
        bits = f"{product:033b}"
        if bits[0] == "1":
            cells(svg, left, y, "1", step, fill=COLOURS[1])
        cells(svg, left + step, y, bits[1], step, fill=COLOURS[2])
        cells(svg, left + 2 * step, y, bits[2:], step, fill=TINT)
    y += 17
    svg.line(left + step, y, left + 33 * step, y, SOFT)
    svg.text(left + 17 * step, y + 11, "32 bits", 8, "middle", SOFT)
    svg.text(left + step + 2, y + 11, "sign", 8, colour=SOFT)
    svg.text(left + step - 2, y + 11, "falls off", 8, "end", SOFT)
    return svg


def block():
    """A row of 64 numbers, the two blocks that Q4_0 makes, their bytes."""
    svg = Svg(WIDTH, 138)
    width = (WIDTH - 2) / 64
    svg.text(1, 10, "a row of 64, each box a number", 8.5)
    for i in range(64):
        svg.box(1 + i * width, 15, width, 13,
                TINT if i < 32 else PAPER, INK, .35, round_=0)
    half = 32 * width
    for k in range(2):
        x = 1 + k * half
        svg.text(x + half / 2, 41, "32 numbers", 8, "middle", SOFT)
        svg.text(x + half / 2 + 9, 54, "each box a byte", 8,
                 colour=SOFT)
        svg.arrow(x + half / 2, 45, x + half / 2, 57)
        left, byte = x + 4, (half - 8) / 18
        cells(svg, left, 61, ["", ""], byte, fill=COLOURS[1])
        cells(svg, left + 2 * byte, 61, [""] * 16, byte,
              fill=TINT if k == 0 else PAPER)
        svg.text(left, 86, "scale", 8)
        svg.text(left, 96, "2 bytes", 8, colour=SOFT)
        svg.text(left + 10 * byte, 86, "32 codes of 4 bits", 8, "middle")
        svg.text(left + 10 * byte, 96, "16 bytes", 8, "middle", SOFT)
    svg.line(1, 108, WIDTH - 1, 108, SOFT)
    svg.text(WIDTH / 2, 120, "64 numbers / 32 x 18 bytes = 36 bytes", 9,
             "middle")
    svg.text(WIDTH / 2, 132, "as F32 they would take 256", 8, "middle", SOFT)
    return svg


def halves():
    """Sign, exponent and fraction of the three formats, to scale."""
    svg = Svg(WIDTH, 118)
    step, left = 8.6, 42
    for row, (name, exponent, fraction) in enumerate((
            ("F32", 8, 23), ("F16", 5, 10), ("BF16", 8, 7))):
        y = 22 + 32 * row
        svg.text(2, y + 11, name, 9.5)
        x = left
        for n, fill, colour in ((1, COLOURS[3], INK),
                                (exponent, COLOURS[0], PAPER),
                                (fraction, TINT, INK)):
            svg.box(x, y, n * step, 15, fill, INK, .6, round_=0)
            for i in range(1, n):
                svg.line(x + i * step, y + 12.5, x + i * step, y + 15,
                         INK, .3)
            svg.text(x + n * step / 2, y + 10.5, str(n), 8, "middle", colour)
            x += n * step
    svg.text(left + step / 2, 16, "sign", 8, "middle", SOFT)
    svg.text(left + 5 * step, 16, "exponent", 8, "middle", SOFT)
    svg.text(left + 20 * step, 16, "fraction", 8, "middle", SOFT)
    svg.text(left + 17 * step, 97, "the upper half of an F32", 8.5,
             colour=SOFT)
    return svg


def rounding():
    """From 2048 on halves are the even numbers: what lies between goes to
    the nearer one, and from the middle to the one with an even fraction."""
    svg = Svg(WIDTH, 72)
    left, step, y = 30, 67, 38
    svg.line(left - 14, y, left + 4 * step + 14, y, INK, .9)
    for i in range(5):
        x, value = left + i * step, 2048 + i
        is_half = i % 2 == 0
        if is_half:
            svg.add("circle", cx=x, cy=y, r=4, fill=COLOURS[0])
        else:
            svg.line(x, y - 4, x, y + 4, SOFT, .9)
        svg.text(x, y + 16, str(value), 8.5, "middle",
                 INK if is_half else SOFT)
        if is_half:
            fraction = f"{i // 2:010b}"
            svg.text(x, y + 28, "..." + fraction[-3:], 7.5, "middle", SOFT,
                     font=MONO)
    for half in (2048, 2050, 2052):
        x = left + (half - 2048) * step
        for side in (-1, 1):
            if 2048 <= half + side <= 2052:
                svg.box(min(x, x + side * step * .96), y - 12, step * .96,
                        5, TINT, SOFT, .4, round_=0)
    for start, end in ((2049, 2048), (2051, 2052)):
        x0, x1 = (left + (v - 2048) * step for v in (start, end))
        top = y - 27
        svg.line(x0, y - 6, x0, top, COLOURS[1], .8)
        svg.line(x0, top, x1, top, COLOURS[1], .8)
        svg.arrow(x1, top, x1, y - 13, COLOURS[1])
        svg.text((x0 + x1) / 2, top - 4, "tie", 8, "middle", COLOURS[1])
    svg.text(left + 2 * step, y - 17, "all nearer to 2050", 8, "middle", SOFT)
    return svg


def handed_out():
    """256 bytes of an arena after 100 and 28 of them were taken."""
    svg = Svg(WIDTH, 98)
    left, scale, y, height = 14, 1.18, 24, 26
    for start, end, fill, label in (
            (0, 100, COLOURS[0], "100 bytes"), (100, 128, HAIR, ""),
            (128, 156, COLOURS[0], "28"), (156, 192, HAIR, ""),
            (192, 256, PAPER, "64 left")):
        svg.box(left + start * scale, y, (end - start) * scale, height, fill,
                INK, .6, round_=0)
        svg.text(left + (start + end) / 2 * scale, y + 16, label, 8.5,
                 "middle", PAPER if fill == COLOURS[0] else INK)
    for start, end in ((100, 128), (156, 192)):
        svg.text(left + (start + end) / 2 * scale, y - 5, "padding", 8,
                 "middle", SOFT)
    for at in (0, 64, 128, 192, 256):
        x = left + at * scale
        svg.line(x, y + height, x, y + height + 4, SOFT)
        svg.text(x, y + height + 13, str(at), 8, "middle", SOFT)
    x = left + 192 * scale
    svg.arrow(x, y + height + 34, x, y + height + 17, COLOURS[1])
    svg.text(x, y + height + 41, "used", 8.5, "middle")
    x = left + 256 * scale
    svg.arrow(x, y + height + 34, x, y + height + 17, COLOURS[1])
    svg.text(x, y + height + 41, "capacity", 8.5, "end")
    return svg


SHOWN = ("F32", "F16", "Q8_0", "Q6_K", "Q5_0", "Q4_1", "Q4_0", "Q3_K",
         "Q2_K", "IQ1_S")


def types():
    """Bits a number for some types, as the program computes them."""
    numbers = 1 << 20
    done = subprocess.run(["./chapter-01/run", "--json", str(numbers)],
                          cwd=ROOT, check=True, capture_output=True)
    n_bytes = json.loads(done.stdout)["bytes"]
    svg = Plot((0, 34), (0, len(SHOWN)), WIDTH, 138, "bits a number",
               margins=(44, 6, 12, 32))
    svg.ticks(xs=(0, 4, 8, 16, 32))
    for i, name in enumerate(SHOWN):
        bits = 8 * n_bytes[name] / numbers
        x0, y0 = svg.at(0, len(SHOWN) - i - .15)
        x1, y1 = svg.at(bits, len(SHOWN) - i - .85)
        blocked = name[0] in "QI"
        svg.box(x0, y0, x1 - x0, y1 - y0,
                COLOURS[2] if blocked else COLOURS[0], INK, .5, round_=0)
        svg.text(x0 - 5, (y0 + y1) / 2 + 3, name, 8.5, "end")
        svg.text(x1 + 4, (y0 + y1) / 2 + 3, f"{bits:.4g}", 8.5,
                 colour=SOFT)
    return svg


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for draw in (tensor, wrap, block, halves, rounding, handed_out, types):
        draw().save(folder / f"{draw.__name__}.svg")


if __name__ == "__main__":
    main()
