// The question of exercise 03-4.
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

lll_status find_u32(const unsigned char *bytes, size_t n_bytes,
                    const char *key, uint32_t *value);
