#ifndef COMMON_UNICODE_H
#define COMMON_UNICODE_H

#include <stddef.h>
#include <stdint.h>

// UTF-8, read strictly, and what kind of character a code point is.
// Taught in chapter 4. Source: RFC 3629; Unicode 16.0, chapters 3.9 and 4.5.

// @begin unicode-kinds
// Kinds of characters, as bits. The first five are general categories: a
// character has at most one of them. Space is the property White_Space.
enum {
    UNICODE_LETTER = 1, UNICODE_NUMBER = 2, UNICODE_MARK = 4,
    UNICODE_PUNCTUATION = 8, UNICODE_SYMBOL = 16, UNICODE_SPACE = 32,
    UNICODE_NEWLINE = 64,       // \r and \n only
    UNICODE_DIGIT = 128,        // 0 to 9 only
    UNICODE_BLANK = 256         // the ASCII space only
};
// @end unicode-kinds

// Read the character at the front of `n_bytes` bytes.
//
// Returns how many bytes it takes, 1 to 4, and fills *code; or 0 when all
// `n_bytes` bytes (0 to 3 of them) are the start of a character that is not
// finished; or -k when the first k bytes, 1 to 3, cannot become a character
// whatever follows: overlong forms, surrogates, above U+10FFFF, strays.
int unicode_decode(const unsigned char *bytes, size_t n_bytes,
                   uint32_t *code);

// Write `code` as UTF-8 and return how many bytes, 1 to 4; 0 when it is a
// surrogate or above U+10FFFF.
int unicode_encode(uint32_t code, unsigned char bytes[4]);

// The kind bits of a code point; 0 for controls, unassigned ones and
// anything above U+10FFFF. Beyond ASCII a binary search, of few steps where
// the scripts are, at most 12 above U+1FFFF.
unsigned unicode_kind(uint32_t code);

// The tables, made by reference/make_unicode_table.py. unicode_ascii answers
// for the first 128 code points at once.
extern const uint16_t unicode_ascii[128];
extern const uint32_t unicode_ranges[];
extern const size_t unicode_n_ranges;
// The range in which each page of 256 code points begins, up to U+20000.
enum { UNICODE_N_PAGES = 512 };
extern const uint16_t unicode_pages[UNICODE_N_PAGES + 1];

#endif
