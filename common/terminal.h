#ifndef COMMON_TERMINAL_H
#define COMMON_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// What programs need to draw on a terminal, and to stay readable where there
// is none. The only module that looks at the environment (NO_COLOR, TERM,
// COLUMNS): colour and width are questions about where the output goes.
//
// A box in chapter 1: used everywhere, explained once.

// Does `out` want colour? It is a terminal, NO_COLOR is empty or not set
// (no-color.org), and TERM is neither "dumb" nor missing.
bool terminal_color(FILE *out);

// Columns of the terminal behind `out`; 78, the width of this book's
// listings, where there is none.
int terminal_width(FILE *out);

// One cell of a heat map, two columns wide.
//
// level   0 (nothing) to 1 (the most); what is outside is clamped, NaN shows
//         as "??". With colour the background runs from dark blue over green
//         to yellow; without, the cell is one of the ten characters
//         " .:-=+*#%@", doubled.
void terminal_cell(FILE *out, bool color, double level);

// The same for values with a sign, level -1 to 1: blue below zero, red above;
// without colour a sign and one of the ten characters.
void terminal_cell_signed(FILE *out, bool color, double level);

// A bar that fills `fraction` (0..1) of `width` columns, padded with spaces.
void terminal_bar(FILE *out, bool color, double fraction, int width);

// Text in one of the 256 colours of a terminal (1 red, 2 green, 3 yellow,
// 4 blue, 8 grey ...), or with bold; plain where there is no colour.
void terminal_paint(FILE *out, bool color, int number, const char *text);
void terminal_bold(FILE *out, bool color, const char *text);

// Write n bytes from a file that a stranger wrote: what is not printable
// UTF-8 appears as \xNN. Returns the columns used, counting each character
// as one.
int terminal_text(FILE *out, const char *bytes, size_t n);

// "4,294,967,296"; text of 27 bytes is always enough.
void number_text(uint64_t number, char *text, size_t capacity);
// "4.29 G", "135 M", "576": three digits and a power of 1000, for counts.
// (size_text() in size.h does bytes, in powers of 1024.)
void count_text(uint64_t count, char *text, size_t capacity);

// Show "label [#####     ] 48 %" on the line the cursor is in, and end the
// line at 1. Nothing when `out` is not a terminal. Cheap enough to call a
// few times a second.
void terminal_progress(FILE *out, const char *label, double fraction);

#endif
