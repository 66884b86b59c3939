// replaces common/unicode.c; caught by tests/test_unicode.c
//
// The marks of the bytes are looked at, and the number that comes out is not.
// All good text is read rightly; and c0 af is one more way to write a slash.
#include "common/unicode.h"

#define unicode_decode right_unicode_decode
#include "common/unicode.c"
#undef unicode_decode

// @begin wrong-overlong
int unicode_decode(const unsigned char *bytes, size_t n_bytes,
                   uint32_t *code)
{
    if (n_bytes == 0)
        return 0;
    if (bytes[0] >= 0x80 && bytes[0] < 0xc0)
        return -1;
    int length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xe0 ? 2
               : bytes[0] < 0xf0 ? 3 : 4;
    uint32_t value = length == 1 ? bytes[0] : bytes[0] & (0x7fu >> length);
    for (int i = 1; i < length; i++) {
        if ((size_t)i == n_bytes)
            return 0;
        if ((bytes[i] & 0xc0) != 0x80)
            return -i;
        value = value << 6 | (bytes[i] & 0x3fu);
    }
    *code = value;
    return length;
}
// @end wrong-overlong
