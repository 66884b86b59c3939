#include "common/unicode.h"

// @begin unicode-decode
int unicode_decode(const unsigned char *bytes, size_t n_bytes,
                   uint32_t *code)
{
    if (n_bytes == 0)
        return 0;
    unsigned first = bytes[0];
    if (first < 0x80) {
        *code = first;
        return 1;
    }
    // C0 and C1 would spell ASCII in two bytes; F5 and more lie beyond the
    // last code point. Neither can begin anything.
    if (first < 0xc2 || first > 0xf4)
        return -1;
    int length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint32_t value = first & (0x7fu >> length);

    // Only the second byte has a range of its own, and it is what keeps out
    // overlong forms (E0, F0), surrogates (ED) and what is too high (F4).
    unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    for (int i = 1; i < length; i++) {
        if ((size_t)i == n_bytes)
            return 0;
        if (bytes[i] < low || bytes[i] > high)
            return -i;
        value = value << 6 | (bytes[i] & 0x3fu);
        low = 0x80;
        high = 0xbf;
    }
    *code = value;
    return length;
}
// @end unicode-decode

// @begin unicode-encode
int unicode_encode(uint32_t code, unsigned char bytes[4])
{
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    if (code < 0x80) {
        bytes[0] = (unsigned char)code;
        return 1;
    }
    int length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char mark[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (int i = length - 1; i > 0; i--) {
        bytes[i] = (unsigned char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    bytes[0] = (unsigned char)(mark[length] | code);
    return length;
}
// @end unicode-encode

// @begin unicode-kind
unsigned unicode_kind(uint32_t code)
{
    if (code < 128)
        return unicode_ascii[code];
    // Above the last code point the shift below would lose bits.
    if (code > 0x10ffff)
        return 0;
    // The last range that begins at or before `code`. It is the one in which
    // the page begins, or between that and the one of the next page.
    size_t page = code >> 8, low = unicode_pages[UNICODE_N_PAGES];
    size_t high = unicode_n_ranges;
    if (page < UNICODE_N_PAGES) {
        low = unicode_pages[page];
        high = (size_t)unicode_pages[page + 1] + 1;
    }
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (unicode_ranges[middle] >> 8 <= code)
            low = middle;
        else
            high = middle;
    }
    return unicode_ranges[low] & 0xff;
}
// @end unicode-kind
