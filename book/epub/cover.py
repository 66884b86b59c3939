"""cover.py OUT.png: the cover, drawn with the fonts that Typst brings."""
import sys
from pathlib import Path

import typst

if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(typst.compile(
        "book/epub/cover.typ", root=".", format="png", ppi=200,
        ignore_system_fonts=True))
