#include "chapters/04-tokenizer/exercises/04-7-any-bytes/spell.h"
#include "common/unicode.h"

size_t spell(const unsigned char *bytes, size_t n_bytes, char *text,
             size_t capacity)
{
    (void)bytes;                // your work begins here
    (void)n_bytes;
    (void)text;
    (void)capacity;
    return 0;
}

bool unspell(const char *text, size_t n_text, unsigned char *bytes,
             size_t *n_bytes)
{
    (void)text;
    (void)n_text;
    (void)bytes;
    (void)n_bytes;
    return false;
}
