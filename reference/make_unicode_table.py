#!/usr/bin/env python3
"""Write common/unicode_data.c: which kind of character each code point is.

    python reference/make_unicode_table.py          writes the table
    python reference/make_unicode_table.py --check  says whether it is stale

The general categories are those of Unicode 16.0, which is what the regular
expressions of the Hugging Face tokenizers use today; the package
unicodedata2==16.0.0 has them, whatever Python's own version is. The digits
that 17.0 added are numbers too, because the Digits step of that library
already counts them.
"""
import pathlib
import sys

import unicodedata2

VERSION = "16.0.0"
NEW_NUMBERS = [(0x11DE0, 0x11DE9), (0x16FF4, 0x16FF6)]      # Unicode 17.0
N_PAGES = 512                   # UNICODE_N_PAGES of common/unicode.h
TARGET = pathlib.Path(__file__).parent.parent / "common" / "unicode_data.c"

# The bits of common/unicode.h.
LETTER, NUMBER, MARK, PUNCTUATION, SYMBOL, SPACE, NEWLINE, DIGIT, BLANK = (
    1, 2, 4, 8, 16, 32, 64, 128, 256)
KINDS = {"L": LETTER, "N": NUMBER, "M": MARK, "P": PUNCTUATION, "S": SYMBOL}

# The property White_Space: category Z and six controls, listed because
# unicodedata2 does not have properties.
SPACES = set(range(9, 14)) | {0x20, 0x85, 0xA0, 0x1680} | \
    set(range(0x2000, 0x200B)) | {0x2028, 0x2029, 0x202F, 0x205F, 0x3000}


def kind(code):
    for first, last in NEW_NUMBERS:
        if first <= code <= last:
            return NUMBER
    bits = KINDS.get(unicodedata2.category(chr(code))[0], 0)
    if code in SPACES:
        bits |= SPACE
    if code in (0x0A, 0x0D):
        bits |= NEWLINE
    if 0x30 <= code <= 0x39:
        bits |= DIGIT
    if code == 0x20:
        bits |= BLANK
    return bits


def rows(values, per_line):
    for i in range(0, len(values), per_line):
        yield "    " + ", ".join(values[i:i + per_line]) + ","


def table():
    ascii_kinds = [str(kind(code)) for code in range(128)]
    ranges, pages, before = [], [], None
    for code in range(0x110000):
        bits = kind(code) & 63
        if bits != before:
            ranges.append(f"0x{code << 8 | bits:x}")
            before = bits
        if code % 256 == 0 and code // 256 <= N_PAGES:
            pages.append(str(len(ranges) - 1))
    lines = [
        "// Made by reference/make_unicode_table.py from Unicode "
        f"{VERSION}, with the",
        "// digits of 17.0: do not edit.",
        '#include "common/unicode.h"',
        "",
        "const uint16_t unicode_ascii[128] = {",
        *rows(ascii_kinds, 14),
        "};",
        "",
        f"const size_t unicode_n_ranges = {len(ranges)};",
        "",
        "// First code point of a range, times 256, plus its kind: the range",
        "// ends where the next one begins.",
        "const uint32_t unicode_ranges[] = {",
        *rows(ranges, 6),
        "};",
        "",
        "// The range in which each page of 256 code points begins.",
        "const uint16_t unicode_pages[UNICODE_N_PAGES + 1] = {",
        *rows(pages, 12),
        "};",
    ]
    return "\n".join(lines) + "\n"


def main():
    if unicodedata2.unidata_version != VERSION:
        sys.exit(f"found Unicode {unicodedata2.unidata_version}, expected "
                 f"{VERSION}: pip install unicodedata2=={VERSION}")
    text = table()
    if "--check" in sys.argv[1:]:
        if TARGET.read_text() != text:
            sys.exit(f"{TARGET} is stale: run {sys.argv[0]}")
        return
    TARGET.write_text(text)


if __name__ == "__main__":
    main()
