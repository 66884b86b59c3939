"""check_pages.py BOOK.pdf: look at every page, and say what is not well set.

Ends with 1 when a letter stands outside the page's type area, when a
heading is the last thing on its page, or when type is too small to read.
Pages that are filled by less than a third are counted and named: the last
of a chapter may be short.
"""
import sys

import pymupdf

# The page design of book.typ, in points: 8 x 10 inches.
LEFT, TOP, RIGHT, BOTTOM = 90.0, 36.0, 90.0 + 390.3, 720.0
FOOT = 655.2                # text ends here, the page number stands below
GUTTER = 26.0               # numbers of lines, left of the text
SLACK = 1.5                 # an italic letter leans out a little
SMALLEST = 5.9              # numbers of lines; nothing is smaller
SMALLEST_CODE = 6.7        # the place above a listing
HEADING = 11.4              # sizes of headings begin above the text's


def name_of(page):
    """Its printed number; pymupdf leaves a piece of "PageLabel" before it."""
    return page.get_label().removeprefix("ageLabel") or str(page.number + 1)


def spans(page):
    for block in page.get_text(
            "dict", flags=pymupdf.TEXT_PRESERVE_WHITESPACE)["blocks"]:
        for line in block.get("lines", ()):
            if line["dir"] != (1.0, 0.0):
                continue
            for span in line["spans"]:
                if span["text"].strip():
                    yield span


def check_page(page, say):
    body = []
    for span in spans(page):
        x0, _, x1, y1 = span["bbox"]
        text = span["text"].strip()[:30]
        if x1 > RIGHT + SLACK or x0 < LEFT - GUTTER - SLACK or y1 > BOTTOM:
            say(f'"{text}" stands outside the type area')
        is_code = "Mono" in span["font"]
        if span["size"] < SMALLEST and "Math" not in span["font"]:
            say(f'"{text}" is set in {span["size"]:.1f} pt')
        elif is_code and len(text) > 12 and span["size"] < SMALLEST_CODE:
            say(f'code "{text}" is set in {span["size"]:.1f} pt')
        if TOP + 30 < y1 < FOOT + 6:
            body.append(span)
    return body


def is_short(page, body):
    """Whether all of it, pictures included, ends in the upper third."""
    limit = TOP + (FOOT - TOP) / 3
    # Drawings take long to list, so only where the words leave a doubt.
    return (max(span["bbox"][3] for span in body) < limit
            and not any(limit <= drawing["rect"].y1 < FOOT + 6
                        for drawing in page.get_drawings()))


def main():
    book = pymupdf.open(sys.argv[1])
    wrong, short = [], []
    for page in book:
        def say(what, name=name_of(page)):
            wrong.append(f"page {name}: {what}")
        body = check_page(page, say)
        if not body:
            continue
        last = max(body, key=lambda span: span["bbox"][3])
        bold = "Semibold" in last["font"] or "Bold" in last["font"]
        if bold and last["size"] > HEADING:
            say(f'the heading "{last["text"].strip()}" is alone at its foot')
        if is_short(page, body):
            short.append(name_of(page))
    if len(book) == 0:
        wrong.append(f"{sys.argv[1]}: no page can be read")
    print(f"{len(book)} pages, {len(short)} less than a third full"
          + (f" ({', '.join(short)})" if short else ""))
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
