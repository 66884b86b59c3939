#ifndef COMMON_TOKENIZER_H
#define COMMON_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/gguf.h"
#include "common/pretokenize.h"
#include "common/vocabulary.h"

// Text to token numbers and back, from the vocabulary that a GGUF file
// carries: byte-level BPE with merges (tokenizer.ggml.model "gpt2") and
// SentencePiece-style BPE with scores ("llama").
//
//     tokenizer words;
//     lll_status s = tokenizer_init(&words, &file, NULL, &err);
//     int32_t ids[64];
//     size_t n;
//     s = tokenizer_encode(&words, "Hello", 5, TOKENIZER_BOS, ids, 64, &n,
//                          &err);
//     tokenizer_free(&words);
//
// Taught in chapter 4.

enum { TOKENIZER_MAX_ENDS = 16 };

// @begin tokenizer-type
typedef struct tokenizer {
    vocabulary words;
    const pretokenizer *pre;    // NULL for SentencePiece
    size_t n_tokens;
    size_t longest_token;       // bytes
    int32_t bos, eos, eot, eom; // -1: the file names none
    int32_t unknown;            // for bytes that no token can hold; or -1
    bool add_bos, add_eos;      // what the file asks a caller to do
    bool add_space_prefix;      // SentencePiece: " Hello" for "Hello"
    int32_t ends[TOKENIZER_MAX_ENDS];   // generation ends at these
    int n_ends;
    size_t n_bytes;             // memory that this struct owns
} tokenizer;
// @end tokenizer-type

// What tokenizer_encode() does beside cutting text.
enum {
    TOKENIZER_BOS = 1,      // begin with the BOS token, asked for by the file
                            // or not
    TOKENIZER_SPECIAL = 2,  // "<|im_end|>" in the text is that one token;
                            // without this flag it is ten characters of
                            // text, which is what a user's input must be.
                            // User-defined tokens are matched always.
    TOKENIZER_GOES_ON = 4   // the text follows another one: SentencePiece
                            // puts no space in front of it
};

// Read the vocabulary. The file must stay open as long as the tokenizer:
// token texts are not copied.
//
// pre   name of a pre-tokenizer to use in place of the file's own, or NULL;
//       NULL for SentencePiece, which has none
//
// LLL_ERR_ARGUMENT      `pre` is given, and the file is SentencePiece
// LLL_ERR_NOT_FOUND     the file has no vocabulary
// LLL_ERR_FORMAT        its lists contradict each other (vocabulary_load.h
//                       says what is tolerated), or a token that it names
//                       is outside the vocabulary
// LLL_ERR_UNSUPPORTED   a tokenizer model or pre-tokenizer we do not know,
//                       by name
// LLL_ERR_MEMORY        no room; tokenizer_plan() says how much it takes
// On failure *t is zeroed.
lll_status tokenizer_init(tokenizer *t, const gguf_file *file,
                          const char *pre, lll_error *err);
void tokenizer_free(tokenizer *t);      // accepts a zeroed struct

// The bytes that tokenizer_init() will ask for, from the counts in the file.
lll_status tokenizer_plan(const gguf_file *file, size_t *n_bytes,
                          lll_error *err);

// Cut `n_bytes` bytes (any bytes: what is not UTF-8 is kept, byte for byte)
// into at most `capacity` token numbers.
//
// SentencePiece text gets a space in front at its start and after each
// special token, as llama.cpp does it, if the file asks for it. A byte for
// which the vocabulary has no token becomes the unknown token there, and
// nothing in a byte-level vocabulary; tokenizer_can_spell() tells.
//
// One text does not come back as it was: where TOKENIZER_SPECIAL matches the
// unknown token by its name, "<unk>hi", the space after it stays, "<unk> hi".
// The same token for a byte that none can hold has no such space.
//
// Where llama.cpp and we differ, on purpose: it turns bytes that are not
// UTF-8 into U+FFFD, and U+2581 in a SentencePiece text into a space, and we
// keep both, so that the text comes back; it takes whichever special tokens
// are longest first, and we the longest at the leftmost place, as the
// tokenizers package does; and text alone never makes a control token here.
//
// *n_ids is filled only on LLL_OK.
// LLL_ERR_NOT_FOUND  BOS is asked for and the file has none
// LLL_ERR_OVERFLOW   more than `capacity` tokens (tokenizer_max_ids() is
//                    always enough), or a piece of 4 GiB
// LLL_ERR_MEMORY     no room for the working lists
// Time O(N (S + log n)), without recursion, for N bytes of text whose longest
// piece has n: S, for special tokens, is what vocabulary_find_special()
// takes, nothing at a byte that begins none. SentencePiece looks each pair up
// by its text, O(N (S + L + log n)) where the longest token has L. Memory,
// until it returns: tokenizer_room() of the longest piece that the
// pre-tokenizer cuts, or of the text's first 64 KiB.
lll_status tokenizer_encode(const tokenizer *t, const char *text,
                            size_t n_bytes, unsigned flags, int32_t *ids,
                            size_t capacity, size_t *n_ids, lll_error *err);

// The same a few tokens at a time, in memory that the caller brings, so that
// a text of any length is encoded in room that was planned before.
//
//     tokenizer_encoder e;
//     s = tokenizer_begin(&e, &words, text, n_bytes, flags, room, longest,
//                         &err);
//     while (s == LLL_OK
//            && (s = tokenizer_more(&e, ids, 64, &n, &err)) == LLL_OK
//            && n > 0)
//         ...
typedef struct {
    const unsigned char *bytes;     // in the caller's text; NULL: free
    uint32_t n_bytes, n_ids;
    size_t first_id;                // ids[first_id] and on
} known_piece;

// @begin tokenizer-encoder
typedef struct {
    const tokenizer *t;
    const unsigned char *text;
    size_t n_bytes;
    bool special;                   // match control tokens too
    bool goes_on;                   // nothing belongs before its start
    size_t begin, at, end, next;    // text without special tokens; how far
                                    // it was cut; what comes behind it
    int32_t single;                 // a token that is next; -1: none
    pretokenize_scan scan;
    const unsigned char *piece;     // the next one
    size_t n_piece;                 // 0: it was not cut off yet
    bool prefixed;                  // a space belongs before it
    const unsigned char *bytes;     // the piece that is being written out
    uint32_t symbol;                // its next symbol, or BPE_NONE
    size_t byte;                    // of that symbol
    int32_t *ids;                   // the caller's
    size_t n_ids, capacity;
    bpe_rules rules;
    size_t longest;                 // bytes of a piece that fit in the room,
    known_piece *known;             // which begins here: n_known pieces that
    size_t n_known;                 // were met before
    bpe_symbol *symbols;
    uint32_t *numbers;
    unsigned char *copy;
    lll_error *err;
} tokenizer_encoder;
// @end tokenizer-encoder

// room      tokenizer_room(longest) bytes, aligned to 16, that stay the
//           encoder's; so do `t` and `text`
// longest   bytes of the longest piece that can come
// LLL_ERR_NOT_FOUND  as above
lll_status tokenizer_begin(tokenizer_encoder *e, const tokenizer *t,
                           const char *text, size_t n_bytes, unsigned flags,
                           void *room, size_t longest, lll_error *err);
size_t tokenizer_room(size_t longest);      // SIZE_MAX: more than there is

// The next tokens: `capacity` of them (at least one), or fewer at the end of
// the text, where *n_ids becomes 0. Allocates nothing.
// LLL_ERR_OVERFLOW   a piece is longer than `longest`
lll_status tokenizer_more(tokenizer_encoder *e, int32_t *ids, size_t capacity,
                          size_t *n_ids, lll_error *err);

// Bytes of the text in front of the piece that came last.
size_t tokenizer_done(const tokenizer_encoder *e);

// Is there a token for this byte alone? With one for each of the 256, any
// bytes come back as they were.
bool tokenizer_can_spell(const tokenizer *t, unsigned char byte);
size_t tokenizer_max_ids(const tokenizer *t, size_t n_bytes);

// The text of a list of tokens: what tokenizer_encode() was given, byte for
// byte. Writes at most `capacity` bytes and returns how many there are.
//
// special   write control tokens too, by name
size_t tokenizer_decode(const tokenizer *t, const int32_t *ids, size_t n_ids,
                        bool special, char *bytes, size_t capacity);

// The bytes of one token, as they appear in text ("Ġthe" is " the"). Writes
// at most `capacity` bytes and returns how many the token has. Control
// tokens give their name when `special` is set and nothing otherwise; an id
// outside the vocabulary gives nothing.
size_t tokenizer_piece(const tokenizer *t, int32_t id, bool special,
                       char *bytes, size_t capacity);

// Token bytes can end in the middle of a character. This holds back the
// started character, so that what is printed is always whole: feed pieces,
// print what comes out, and flush at the end.
typedef struct {
    unsigned char held[4];
    int n_held;
    bool at_start;          // SentencePiece drops the first space of a text:
                            // set it for a text that begins here
} utf8_stream;

// Append the bytes of `id` and copy out the whole characters; bytes that can
// not become a character come out as U+FFFD. `capacity` of at least
// 3 * (t->longest_token + 4) is always enough. Returns the number of bytes
// written.
size_t utf8_stream_push(utf8_stream *s, const tokenizer *t, int32_t id,
                        bool special, char *out, size_t capacity);
size_t utf8_stream_flush(utf8_stream *s, char *out, size_t capacity);

// The token whose text is exactly this ("<|im_end|>"), or -1.
int32_t tokenizer_find(const tokenizer *t, const char *text, size_t n_bytes);

// Does generation end at this token? End-of-sequence, end-of-turn and
// end-of-message, from the file's metadata and, as files forget them, by
// name: a set, not one token.
bool tokenizer_is_end(const tokenizer *t, int32_t id);

#endif
