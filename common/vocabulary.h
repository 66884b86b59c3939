#ifndef COMMON_VOCABULARY_H
#define COMMON_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/bpe.h"
#include "common/plan.h"

// The tokens of a model: their texts, how to find one, which are special,
// and what joins into what. vocabulary_load.h reads them from a file.
// Taught in chapter 4.

// @begin vocabulary-kinds
// The two ways in which a file spells the bytes of a token.
typedef enum {
    VOCABULARY_BYTE_LEVEL,      // "gpt2": a printable character for each
                                // byte, "\u0120the" for " the"
    VOCABULARY_SENTENCEPIECE    // "llama": UTF-8 with U+2581 for a space, and
                                // "<0x0A>" for a byte alone
} vocabulary_kind;

// tokenizer.ggml.token_type
typedef enum {
    TOKEN_NORMAL = 1, TOKEN_UNKNOWN, TOKEN_CONTROL, TOKEN_USER_DEFINED,
    TOKEN_UNUSED, TOKEN_BYTE
} token_type;

typedef struct {
    const char *text;           // in the mapped file, spelled as above
    uint32_t n_bytes;           // of `text`
    uint32_t hash;              // of the bytes it stands for
    uint32_t rank;              // SentencePiece: smaller joins earlier
    unsigned char type;         // token_type
    bool plain;                 // `text` is the bytes it stands for
} vocabulary_token;
// @end vocabulary-kinds

// Special tokens are looked for from every byte of a text: a longer one is
// refused, so that a file can not make that quadratic.
enum { VOCABULARY_SPECIAL_MOST = 1024 };

// A token that is matched as a unit: control, unknown and user-defined ones.
typedef struct {
    const char *text;
    uint32_t n_bytes;
    int32_t id;
} vocabulary_special;

typedef struct {
    vocabulary_kind kind;
    size_t n_tokens;
    vocabulary_token *tokens;
    uint32_t *slots;                // hash table of ids + 1
    size_t n_slots;                 // a power of two
    size_t n_special;
    vocabulary_special *special;    // sorted by text, byte by byte
    bool special_first[256];        // does one begin with this byte?
    int32_t byte_tokens[256];       // the token of a byte alone, or -1
    bpe_table merges;               // byte level only
    uint32_t byte_pairs[256][8];    // a bit for each two bytes that join
    size_t longest;                 // bytes of the longest token
    bool words_apart;               // SentencePiece: no token has a space
                                    // behind another character, so text can
                                    // be cut before spaces
    vocabulary_size size;           // what the planner has to know of it
    arena memory;                   // everything above that is a list
} vocabulary;

// Walk through the bytes that a token stands for.
typedef struct {
    const unsigned char *at, *end;
    int spelling;               // how they are written, see the .c file
} vocabulary_cursor;

// id must be in the vocabulary.
vocabulary_cursor vocabulary_bytes(const vocabulary *v, int32_t id);
// The same for text in the spelling of normal tokens.
vocabulary_cursor vocabulary_spelled(const vocabulary *v, const char *text,
                                     size_t n_bytes);
// False at the end.
bool vocabulary_next(vocabulary_cursor *cursor, unsigned char *byte);

// The token that stands for exactly these bytes, or -1; never a control
// token, so text alone can not make one. Time O(n_bytes) for the hash, and
// nothing for more bytes than the longest token has.
int32_t vocabulary_find(const vocabulary *v, const unsigned char *bytes,
                        size_t n_bytes);

// Write down the bytes of token `id`, at most as many as its text has and
// one more, and note what of them matters for the whole vocabulary. Returns
// how many there are. For loading.
size_t vocabulary_spell(vocabulary *v, int32_t id, unsigned char *bytes);

// A number for these bytes, nearly always another one for others.
uint32_t vocabulary_hash(const unsigned char *bytes, size_t n_bytes);

// Enter token `id`, which stands for these bytes, at most v->longest of
// them. Returns the token that is found by them now: an earlier one stays.
int32_t vocabulary_enter(vocabulary *v, int32_t id,
                         const unsigned char *bytes, size_t n_bytes);

// The longest special token that the text begins with, or -1.
//
// all       also control and unknown tokens, not only user-defined ones
// *length   its bytes, filled when there is one
//
// Time O(L log n) for n special tokens, where L is the length of the longest
// thing that both the text and a special token begin with, at most
// VOCABULARY_SPECIAL_MOST.
int32_t vocabulary_find_special(const vocabulary *v,
                                const unsigned char *text, size_t n_bytes,
                                bool all, size_t *length);

// Control, unknown and user-defined tokens.
bool vocabulary_is_special(unsigned type);

// Is this text what models call a token that begins or ends a turn or a
// text, "<|im_end|>"? Older files type these as user-defined.
bool vocabulary_is_control_name(const char *text, size_t n_bytes);

// The byte that a byte-level vocabulary writes as this character, 0x20 for
// U+0120; -1 for a character that stands for none. The letters are, in
// order, U+0021 to U+007E, U+00A1 to U+00FF without U+00AD, and U+0100 to
// U+0143.
int vocabulary_byte_of_letter(uint32_t letter);

// "<0x0A>" is 10; -1 for anything else.
int vocabulary_byte_of_name(const unsigned char *text, size_t n_bytes);

#endif
