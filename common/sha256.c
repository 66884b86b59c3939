#include "common/sha256.h"

#include <string.h>

// @begin sha256-constants
// Numbers that nobody could choose: the first 32 bits behind the point of
// the square roots of the first 8 primes,
static const uint32_t roots[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
    0x1f83d9ab, 0x5be0cd19
};

// and of the cube roots of the first 64.
static const uint32_t cube_roots[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
};
// @end sha256-constants

// @begin sha256-block
static uint32_t turn(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

// A block is 16 numbers, most significant byte first, and 48 made of them.
static void stretch(const unsigned char *block, uint32_t w[64])
{
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24
               | (uint32_t)block[4 * i + 1] << 16
               | (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + (turn(x, 7) ^ turn(x, 18) ^ x >> 3)
               + w[i - 7] + (turn(y, 17) ^ turn(y, 19) ^ y >> 10);
    }
}
// @end sha256-block

// @begin sha256-mix
// Mix a block into the state, in 64 rounds.
static void mix(uint32_t s[8], const unsigned char *block)
{
    uint32_t w[64];
    uint32_t a = s[0], b = s[1], c = s[2], d = s[3];
    uint32_t e = s[4], f = s[5], g = s[6], h = s[7];
    stretch(block, w);
    for (int i = 0; i < 64; i++) {
        uint32_t choice = (e & f) ^ (~e & g);
        uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
        uint32_t x = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + choice
                     + cube_roots[i] + w[i];
        uint32_t y = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + majority;
        h = g, g = f, f = e, e = d + x;
        d = c, c = b, b = a, a = x + y;
    }
    s[0] += a, s[1] += b, s[2] += c, s[3] += d;
    s[4] += e, s[5] += f, s[6] += g, s[7] += h;
}
// @end sha256-mix

// @begin sha256-add
void sha256_init(sha256 *hash)
{
    memset(hash, 0, sizeof *hash);
    memcpy(hash->state, roots, sizeof roots);
}

void sha256_add(sha256 *hash, const void *bytes, size_t n_bytes)
{
    const unsigned char *at = bytes;
    size_t filled = (size_t)(hash->n_bytes % 64);
    hash->n_bytes += n_bytes;
    if (filled > 0) {
        size_t n = n_bytes < 64 - filled ? n_bytes : 64 - filled;
        memcpy(hash->block + filled, at, n);
        if (filled + n < 64)
            return;
        mix(hash->state, hash->block);
        at += n;
        n_bytes -= n;
    }
    for (; n_bytes >= 64; n_bytes -= 64, at += 64)
        mix(hash->state, at);
    if (n_bytes > 0)
        memcpy(hash->block, at, n_bytes);
}
// @end sha256-add

// @begin sha256-finish
void sha256_finish(sha256 *hash, char text[SHA256_TEXT])
{
    static const unsigned char one[64] = {0x80};
    static const char digits[] = "0123456789abcdef";
    // A bit that is set, zeros, and the number of bits end a whole block.
    uint64_t n_bits = 8 * hash->n_bytes;
    size_t filled = (size_t)(hash->n_bytes % 64);
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)(n_bits >> (56 - 8 * i));
    sha256_add(hash, one, filled < 56 ? 56 - filled : 120 - filled);
    sha256_add(hash, length, sizeof length);
    for (int i = 0; i < 64; i++)
        text[i] = digits[hash->state[i / 8] >> (28 - 4 * (i % 8)) & 15];
    text[64] = '\0';
}
// @end sha256-finish
