"""typst_pdf.py IN.typ OUT.pdf

Typeset with the fonts that come inside Typst and with the time of
SOURCE_DATE_EPOCH, so that the same sources give the same bytes. A warning
is an error: a missing letter in a font is one.
"""
import os
import sys

import typst


def main():
    source, target = sys.argv[1:3]
    pdf, warnings = typst.compile_with_warnings(
        source, root=".", ignore_system_fonts=True,
        timestamp=int(os.environ["SOURCE_DATE_EPOCH"]))
    for warning in warnings:
        print("typst:", warning, file=sys.stderr)
    if warnings:
        return 1
    # Whoever reads the old file now finds all of it, and then all of this.
    part = f"{target}.{os.getpid()}"
    with open(part, "wb") as out:
        out.write(pdf)
    os.replace(part, target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
