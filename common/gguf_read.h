#ifndef COMMON_GGUF_READ_H
#define COMMON_GGUF_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/error.h"
#include "common/gguf.h"

// Taking one thing after another out of the bytes of a GGUF file, for gguf.c
// and, so that what is written can be read, for gguf_write.c. Every function
// here compares with the bytes that remain before it touches one, and keeps
// nothing but the place. Taught in chapter 3.

// @begin gguf-reader
// Where we are in the file, and what we are reading, for sentences.
typedef struct {
    const char *path;
    const unsigned char *bytes;
    size_t n_bytes;
    size_t at;              // never above n_bytes
    const char *kind;       // "header", "key", "tensor"
    gguf_string name;       // of the key or tensor; empty before it is known
    uint64_t n_entries;     // walked so far, at most GGUF_MAX_ENTRIES
    lll_error *err;
} gguf_reader;
// @end gguf-reader

// Record a failure as "PATH: byte 24: key general.name: " and the rest.
lll_status gguf_fail_at(const gguf_reader *r, lll_status code, size_t at,
                        const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
// The failure of everything that is longer than the file.
lll_status gguf_too_long(const gguf_reader *r, uint64_t n, const char *what);

// @begin gguf-take
// Do n_items of at least item_bytes (>= 1) each fit in what remains? The one
// place that compares a length with the bytes that remain. By subtraction:
// at + n could overflow, n_bytes - at can not.
static inline bool gguf_fits(const gguf_reader *r, uint64_t n_items,
                             size_t item_bytes)
{
    return n_items <= (r->n_bytes - r->at) / item_bytes;
}

// Copy the next n bytes. Here and not in gguf_read.c so that the compiler
// sees n, and makes one instruction of memcpy() and none of the division.
static inline lll_status gguf_take_number(gguf_reader *r, void *number,
                                          size_t n)
{
    if (!gguf_fits(r, n, 1))
        return gguf_too_long(r, n, "more bytes are needed");
    memcpy(number, r->bytes + r->at, n);
    r->at += n;
    return LLL_OK;
}
// @end gguf-take

// Do n entries of at least entry_bytes each fit, and can they be walked? A
// sparse file costs its maker nothing, however long it is: without a limit
// one could keep us busy for an hour.
lll_status gguf_expect(gguf_reader *r, uint64_t n, size_t entry_bytes,
                       const char *what);

// Take the next metadata entry, the next entry of the list of tensors.
// tensor->data is left NULL: where the data begin is not known before the
// list ends.
lll_status gguf_take_value(gguf_reader *r, gguf_value *value);
lll_status gguf_take_tensor(gguf_reader *r, gguf_tensor *tensor);

// Where the offset of a tensor stands, which ends its entry: the byte of the
// file, and the number.
size_t gguf_offset_at(const gguf_reader *r, const gguf_tensor *tensor,
                      uint64_t *offset);

#endif
