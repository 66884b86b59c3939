#ifndef COMMON_SHA256_H
#define COMMON_SHA256_H

#include <stddef.h>
#include <stdint.h>

// SHA-256: 32 bytes that stand for any number of them. Nobody knows two
// inputs with the same, so equal ones mean equal bytes; the sites that offer
// models print it beside each file.
//
//     sha256 hash;
//     char text[SHA256_TEXT];
//     sha256_init(&hash);
//     sha256_add(&hash, bytes, n_bytes);      // as often as needed
//     sha256_finish(&hash, text);
//
// Taught in chapter 3. Source: FIPS 180-4, sections 4.1.2, 5.1.1, 6.2.

enum { SHA256_TEXT = 65 };      // 64 digits and the final zero

// @begin sha256-type
typedef struct {
    uint32_t state[8];          // of the blocks so far
    uint64_t n_bytes;           // added so far
    unsigned char block[64];    // the last, incomplete block
} sha256;
// @end sha256-type

void sha256_init(sha256 *hash);
// Any number of bytes, below 2^61 in all.
void sha256_add(sha256 *hash, const void *bytes, size_t n_bytes);
// Write the hash of everything that was added, in lower-case hexadecimal.
// Afterwards only sha256_init() may follow.
void sha256_finish(sha256 *hash, char text[SHA256_TEXT]);

#endif
