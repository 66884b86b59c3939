"""The hand in which every picture of the book is drawn: SVG, no packages.

    from style import Plot, Svg         (book/figures on sys.path)

Sizes are in points, as on the page: WIDTH is the measure of the prose,
WIDE that of the code. Colours differ in lightness too, lines also by their
dashes, so a picture is as clear in grey and to the colour-blind. Fonts are
those that the page has; a browser without them takes its own serif.
"""
from html import escape

WIDTH, WIDE = 330, 390
INK, SOFT, HAIR = "#1a1a1a", "#5a5a5a", "#b4b4b4"
PAPER, TINT = "#ffffff", "#e3ebf1"
# Dark, middle, light, and grey between: read in this order.
COLOURS = ("#1b4f72", "#bf6a12", "#7db3a8", "#8a8a8a")
DASHES = ("", "6 2", "2 2", "8 2 2 2")
SERIF = "Libertinus Serif, Georgia, serif"
MONO = "DejaVu Sans Mono, monospace"


def number(x):
    """Two decimals at most, so that the same picture is the same bytes."""
    text = f"{x:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def shade(share):
    """From paper (0) to the darkest colour (1), for cells of a table."""
    share = min(max(share, 0.0), 1.0)
    full = (0x1b, 0x4f, 0x72)
    return "#" + "".join(f"{round(255 + (c - 255) * share):02x}"
                         for c in full)


class Svg:
    """A drawing of width x height points."""

    def __init__(self, width, height):
        self.width, self.height, self.parts = width, height, []

    def add(self, tag, body=None, **attributes):
        words = "".join(
            f' {key.rstrip("_").replace("_", "-")}="'
            f'{number(v) if isinstance(v, (int, float)) else escape(v)}"'
            for key, v in attributes.items() if v != "" and v is not None)
        self.parts.append(f"<{tag}{words}/>" if body is None
                          else f"<{tag}{words}>{body}</{tag}>")

    def text(self, x, y, words, size=9, anchor="start", colour=INK,
             weight="", font=SERIF, turn=0, style=""):
        self.add("text", escape(words), x=x, y=y, font_family=font,
                 font_size=size, text_anchor=anchor, fill=colour,
                 font_weight=weight, font_style=style,
                 transform=f"rotate({turn} {number(x)} {number(y)})"
                 if turn else "")

    def line(self, x1, y1, x2, y2, colour=INK, width=.7, dash=""):
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour,
                 stroke_width=width, stroke_dasharray=dash)

    def arrow(self, x1, y1, x2, y2, colour=INK, width=.8):
        """With its head at the second point; the head is drawn by hand,
        because not every reader of SVG knows markers."""
        dx, dy = x2 - x1, y2 - y1
        length = (dx * dx + dy * dy) ** .5
        ux, uy = dx / length, dy / length
        bx, by = x2 - 4.5 * ux, y2 - 4.5 * uy
        self.line(x1, y1, bx, by, colour, width)
        points = ((x2, y2), (bx - 2 * uy, by + 2 * ux),
                  (bx + 2 * uy, by - 2 * ux))
        self.add("polygon", fill=colour, points=" ".join(
            f"{number(x)},{number(y)}" for x, y in points))

    def box(self, x, y, width, height, fill=PAPER, stroke=INK, line=.7,
            dash="", round_=2):
        self.add("rect", x=x, y=y, width=width, height=height, rx=round_,
                 fill=fill, stroke=stroke, stroke_width=line,
                 stroke_dasharray=dash)

    def path(self, points, colour=INK, width=1.1, dash=""):
        self.add("polyline", fill="none", stroke=colour, stroke_width=width,
                 stroke_dasharray=dash, stroke_linejoin="round",
                 points=" ".join(f"{number(x)},{number(y)}"
                                 for x, y in points))

    def save(self, path):
        size = f"{number(self.width)} {number(self.height)}"
        with open(path, "w", encoding="utf-8") as out:
            out.write('<svg xmlns="http://www.w3.org/2000/svg" '
                      f'viewBox="0 0 {size}" width="{number(self.width)}pt" '
                      f'height="{number(self.height)}pt">\n')
            out.write("\n".join(self.parts) + "\n</svg>\n")


class Plot(Svg):
    """Two axes; x and y give the value at their beginning and their end.
    With log_x or log_y the steps multiply."""

    def __init__(self, x, y, width=WIDTH, height=190, x_label="",
                 y_label="", log_x=False, log_y=False, margins=None):
        super().__init__(width, height)
        left, top, right, bottom = margins or (40, 14, 10, 32)
        self.frame = (left, top, width - right, height - bottom)
        self.ranges = (x, y)
        self.logs = (log_x, log_y)
        x0, y0, x1, y1 = self.frame
        self.line(x0, y1, x1, y1, SOFT)
        self.line(x0, y0, x0, y1, SOFT)
        self.text((x0 + x1) / 2, height - 3, x_label, 9, "middle")
        # Above its axis and lying down, where nobody has to turn the head.
        self.text(2, top - 5, y_label, 9)

    def at(self, x, y):
        """The point of the drawing for a pair of values."""
        from math import log10
        x0, y0, x1, y1 = self.frame
        share = []
        for v, (low, high), log in zip((x, y), self.ranges, self.logs):
            if log:
                v, low, high = log10(v), log10(low), log10(high)
            share.append((v - low) / (high - low))
        return x0 + share[0] * (x1 - x0), y1 - share[1] * (y1 - y0)

    def ticks(self, xs=(), ys=(), form="{:g}"):
        """Values, or pairs of a value and its label."""
        x0, _, x1, y1 = self.frame
        for axis, values in enumerate((xs, ys)):
            for value in values:
                value, label = (value if isinstance(value, tuple)
                                else (value, form.format(value)))
                here = (value, self.ranges[1][0]) if axis == 0 else (
                    self.ranges[0][0], value)
                px, py = self.at(*here)
                if axis == 0:
                    self.line(px, y1, px, y1 + 3, SOFT)
                    self.text(px, y1 + 12, label, 8, "middle", SOFT)
                else:
                    self.line(x0, py, x1, py, HAIR, .3)
                    self.text(x0 - 4, py + 2.8, label, 8, "end", SOFT)

    def curve(self, points, k=0, label="", dx=0, dy=-4, anchor="end"):
        """The k-th curve, in its colour and dash, its name at its end."""
        drawn = [self.at(x, y) for x, y in points]
        self.path(drawn, COLOURS[k], 1.3, DASHES[k])
        if label:
            x, y = drawn[-1]
            self.text(x + dx, y + dy, label, 8.5, anchor, COLOURS[k])
