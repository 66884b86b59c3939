"""The map of the whole Llama, once for each chapter.

    python3 book/figures/llama_map.py [FOLDER]

Writes map-00.svg (nothing filled) to map-17.svg: boxes of chapters that the
reader has behind him are tinted, the chapter's own are dark, the rest are
outlines. Where a box stands is a row of BOXES.
"""
import sys
from pathlib import Path

from style import COLOURS, HAIR, INK, PAPER, SOFT, TINT, WIDE, Svg

HEIGHT = 218
# chapter, x, y, width, height, label (| begins a second line)
BOXES = (
    (17, 4, 16, 72, 22, "server, page"),
    (10, 82, 16, 72, 22, "speculative|decoding"),
    (9, 160, 16, 72, 22, "LoRA"),
    (12, 238, 16, 72, 22, "training"),
    (15, 316, 16, 70, 22, "evaluation"),
    (4, 4, 84, 58, 34, "tokenizer"),
    (5, 82, 72, 56, 22, "RMSNorm"),
    (5, 144, 72, 38, 22, "RoPE"),
    (6, 188, 72, 58, 22, "attention"),
    (11, 252, 72, 50, 22, "long|context"),
    (5, 82, 106, 56, 22, "RMSNorm"),
    (7, 144, 106, 102, 22, "feed-forward"),
    (14, 252, 106, 50, 22, "families"),
    (8, 326, 72, 60, 22, "sampler"),
    (4, 326, 106, 60, 22, "tokenizer"),
    (1, 4, 170, 60, 22, "sizes,|memory"),
    (2, 68, 170, 60, 22, "parameters"),
    (3, 132, 170, 60, 22, "GGUF files"),
    (7, 196, 170, 60, 22, "quantized|matmul"),
    (13, 260, 170, 60, 22, "speed"),
    (16, 324, 170, 62, 22, "many|machines"),
)
LAST = 17


def colours(chapter, now):
    """Fill, outline and letters of a chapter's box."""
    if chapter == now:
        return COLOURS[0], COLOURS[0], PAPER
    if chapter < now:
        return "#c3d3df", COLOURS[0], INK
    return PAPER, HAIR, SOFT


def label(svg, x, y, width, height, words, colour):
    lines = words.split("|")
    for i, line in enumerate(lines):
        svg.text(x + width / 2 + 6,
                 y + height / 2 + 2.7 + 8 * (i - (len(lines) - 1) / 2),
                 line, 8, "middle", colour)


def draw(now):
    svg = Svg(WIDE, HEIGHT)
    for y, words in ((10, "around the model"), (164, "underneath")):
        svg.text(4, y, words, 8, colour=SOFT, style="italic")
    # The model itself is chapter 8, and holds the boxes of others.
    fill, stroke, _ = colours(8, now)
    svg.box(76, 50, 232, 92, TINT if now >= 8 else PAPER, stroke,
            1.6 if now == 8 else .8, "" if now >= 8 else "4 2")
    svg.text(82, 62, "8  the whole Llama: this, once for each layer", 8,
             colour=INK if now >= 8 else SOFT,
             weight="bold" if now == 8 else "")
    svg.text(33, 66, "text", 8, "middle", style="italic")
    svg.arrow(33, 69, 33, 83)
    svg.arrow(62, 101, 76, 101)
    svg.text(68, 97, "ids", 7, "middle", SOFT, style="italic")
    svg.arrow(308, 83, 326, 83)
    svg.text(318, 66, "logits", 7, "middle", SOFT, style="italic")
    svg.arrow(356, 94, 356, 106)
    svg.arrow(356, 128, 356, 142)
    svg.text(356, 151, "text", 8, "middle", style="italic")
    for x1, y1, x2, y2 in ((138, 83, 144, 83), (182, 83, 188, 83),
                           (138, 117, 144, 117)):
        svg.line(x1, y1, x2, y2, SOFT)
    svg.path(((217, 94), (217, 100), (110, 100), (110, 106)), SOFT, .7)
    for chapter, x, y, width, height, words in BOXES:
        fill, stroke, letters = colours(chapter, now)
        svg.box(x, y, width, height, fill, stroke, .8)
        svg.text(x + 3, y + 8.5, str(chapter), 7.5, colour=letters,
                 weight="bold")
        label(svg, x, y, width, height, words, letters)
    for i, (words, chapter) in enumerate((
            ("this chapter", 2), ("what we have", 1), ("to come", 3))):
        x = 4 + 96 * i
        fill, stroke, _ = colours(chapter, 2)
        svg.box(x, 203, 14, 9, fill, stroke, .8)
        svg.text(x + 19, 210.5, words, 8, colour=SOFT)
    return svg


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1
                  else Path(__file__).parent)
    for now in range(LAST + 1):
        draw(now).save(folder / f"map-{now:02}.svg")


if __name__ == "__main__":
    main()
