#ifndef COMMON_PRINTABLE_H
#define COMMON_PRINTABLE_H

#include <stddef.h>

// What may be shown of bytes that strangers wrote. A terminal obeys control
// characters, and a name of a thousand letters hides what stands behind it.
//
// Taught in chapter 1.

// @begin printable-bytes-promise
// How many of the first n bytes at `text` make one printable character of
// UTF-8: 1 to 4, or 0 for a control character, for bytes that are not UTF-8
// and for n = 0. Chapter 4 tells how UTF-8 works.
int printable_bytes(const char *text, size_t n);
// @end printable-bytes-promise

// @begin printable-name-promise
// A stranger's name for a sentence, of any n bytes: a NUL, which would end
// the sentence there, becomes \x00, and of what takes more than the room,
// escapes included, the middle becomes "...". Returns `text`.
enum { NAME_TEXT = 128 };       // a room that leaves enough for the reason
const char *name_text(const char *name, size_t n, char text[NAME_TEXT]);
// @end printable-name-promise

// @begin printable-sentence-promise
// Copy `sentence` into `to`, at most `capacity` bytes with the zero, and
// write as \xNN what is not printable. Of one that does not fit, long words,
// which are names and paths, lose their middle (in `sentence` itself, which
// has to be the caller's own); if that is not enough it ends in "...".
void printable_sentence(char *to, size_t capacity, char *sentence);
// @end printable-sentence-promise

#endif
