"""The map of the Llama as text, and which of its boxes a reader has filled.

The same boxes stand in the same places as in book/figures/llama_map.py.
"""

WIDTH, HEIGHT = 78, 20
# chapter, x, y, width, label; all are four lines high
BOXES = (
    (17, 0, 1, 14, "server"),
    (10, 16, 1, 16, "speculative"),
    (9, 34, 1, 12, "LoRA"),
    (12, 48, 1, 13, "training"),
    (15, 63, 1, 15, "evaluation"),
    (4, 0, 8, 13, "tokenizer"),
    (5, 16, 6, 11, "RMSNorm"),
    (5, 28, 6, 8, "RoPE"),
    (6, 37, 6, 13, "attention"),
    (11, 51, 6, 12, "context"),
    (5, 16, 10, 11, "RMSNorm"),
    (7, 28, 10, 21, "feed-forward"),
    (14, 50, 10, 13, "families"),
    (8, 65, 6, 13, "sampler"),
    (4, 65, 10, 13, "tokenizer"),
    (1, 0, 16, 11, "sizes"),
    (2, 12, 16, 14, "parameters"),
    (3, 27, 16, 11, "GGUF"),
    (7, 39, 16, 12, "matmul"),
    (13, 52, 16, 11, "speed"),
    (16, 64, 16, 14, "machines"),
)
MODEL = (8, 14, 5, 51, 10)
WORDS = ((0, 0, "around the model"), (0, 15, "underneath"), (0, 6, "text"),
         (73, 14, "text"))
ARROWS = ((13, 10, "→"), (64, 8, "→"), (1, 7, "↓"), (71, 14, "↓"))
# What lines say without colour: corners, horizontal, vertical.
LINES = {"all": "┏┓┗┛━┃", "some": "┌┐└┘─│", "none": "┌┐└┘─│",
         "to come": "┌┐└┘╌┆"}
COLOURS = {"all": "32;1", "some": "33", "none": "", "to come": "2"}


class Canvas:
    def __init__(self):
        self.cells = [[(" ", "")] * WIDTH for _ in range(HEIGHT)]

    def text(self, x, y, words, colour=""):
        for i, letter in enumerate(words):
            self.cells[y][x + i] = (letter, colour)

    def frame(self, x, y, width, height, state):
        nw, ne, sw, se, across, down = LINES[state]
        colour = COLOURS[state]
        self.text(x, y, nw + across * (width - 2) + ne, colour)
        for row in range(y + 1, y + height - 1):
            self.text(x, row, down, colour)
            self.text(x + width - 1, row, down, colour)
        self.text(x, y + height - 1, sw + across * (width - 2) + se, colour)

    def lines(self, colour):
        for row in self.cells:
            line, now = "", ""
            for letter, wanted in row:
                if colour and wanted != now:
                    line += f"\x1b[0;{wanted}m" if wanted else "\x1b[0m"
                    now = wanted
                line += letter
            yield (line + ("\x1b[0m" if now else "")).rstrip()


def state_of(passed, there):
    if there == 0:
        return "to come"
    return "all" if passed == there else "some" if passed else "none"


def tally(passed, there):
    if there == 0:
        return ""
    return f"all {there}" if passed == there else f"{passed} of {there}"


def draw(counts, colour=False):
    """The map's lines. counts: chapter to (exercises passed, there are)."""
    canvas = Canvas()
    chapter, x, y, width, height = MODEL
    passed, there = counts.get(chapter, (0, 0))
    state = state_of(passed, there)
    canvas.frame(x, y, width, height, state)
    canvas.text(x + 2, y, f" {chapter} the whole Llama, layer by layer ",
                COLOURS[state])
    canvas.text(x + 2, y + height - 1,
                f" {tally(passed, there)} " if there else "", COLOURS[state])
    for chapter, x, y, width, label in BOXES:
        passed, there = counts.get(chapter, (0, 0))
        state = state_of(passed, there)
        canvas.frame(x, y, width, 4, state)
        canvas.text(x + 1, y + 1, f"{chapter} {label}", COLOURS[state])
        canvas.text(x + 1, y + 2, tally(passed, there), COLOURS[state])
    for x, y, words in WORDS + ARROWS:
        canvas.text(x, y, words)
    return list(canvas.lines(colour))
