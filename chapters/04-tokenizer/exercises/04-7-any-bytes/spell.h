// The question of exercise 04-7.
#include <stdbool.h>
#include <stddef.h>

size_t spell(const unsigned char *bytes, size_t n_bytes, char *text,
             size_t capacity);
bool unspell(const char *text, size_t n_text, unsigned char *bytes,
             size_t *n_bytes);
