// The question of exercise 04-6.
#include "common/bpe_train.h"

// merges     merges[i] makes token first + i, of two tokens below that
// id         any token
// out        room for `capacity` tokens; more are not written
size_t family(const trained_merge *merges, uint32_t first, uint32_t id,
              uint32_t *out, size_t capacity);
