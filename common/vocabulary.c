#include "common/vocabulary.h"

#include <string.h>

// How the bytes of a token are written in the file.
enum { PLAIN, BYTE_LETTERS, SPACE_SIGN, BYTE_NUMBER };

// GPT-2 writes each byte as one printable character: the printable bytes of
// Latin-1 as themselves, the others, in order, as U+0100 and on.
// @begin vocabulary-byte-letter
int vocabulary_byte_of_letter(uint32_t letter)
{
    if ((letter >= 0x21 && letter <= 0x7e)
        || (letter >= 0xa1 && letter <= 0xff && letter != 0xad))
        return (int)letter;
    if (letter >= 0x100 && letter <= 0x120)
        return (int)(letter - 0x100);               // 00 to 20
    if (letter >= 0x121 && letter <= 0x142)
        return (int)(letter - 0x121 + 0x7f);        // 7F to A0
    return letter == 0x143 ? 0xad : -1;
}
// @end vocabulary-byte-letter

// @begin vocabulary-next
static int hex_digit(unsigned char c)
{
    return c >= '0' && c <= '9' ? c - '0'
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
         : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int vocabulary_byte_of_name(const unsigned char *text, size_t n_bytes)
{
    if (n_bytes != 6 || memcmp(text, "<0x", 3) != 0 || text[5] != '>')
        return -1;
    int high = hex_digit(text[3]), low = hex_digit(text[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}
// @end vocabulary-next

// @begin vocabulary-next-2
bool vocabulary_next(vocabulary_cursor *c, unsigned char *byte)
{
    size_t left = (size_t)(c->end - c->at);
    if (left == 0)
        return false;
    *byte = *c->at;
    size_t used = 1;
    // Most bytes of most tokens: nearly all spellings agree on ASCII.
    if (*byte < 0x80 && c->spelling != BYTE_NUMBER) {
        c->at++;
        return true;
    }
    // Two bytes, C4 A0: every letter beyond ASCII is one of those.
    if (c->spelling == BYTE_LETTERS && *byte >= 0xc2 && *byte <= 0xc5
        && left >= 2) {
        int b = vocabulary_byte_of_letter((*byte & 0x1fu) << 6
                                          | (c->at[1] & 0x3fu));
        if (b >= 0) {
            *byte = (unsigned char)b;
            used = 2;
        }
    } else if (c->spelling == SPACE_SIGN && *byte == 0xe2 && left >= 3
               && c->at[1] == 0x96 && c->at[2] == 0x81) {
        *byte = ' ';
        used = 3;
    } else if (c->spelling == BYTE_NUMBER) {
        *byte = (unsigned char)vocabulary_byte_of_name(c->at, left);
        used = left;
    }
    c->at += used;
    return true;
}
// @end vocabulary-next-2

// @begin vocabulary-control-name
bool vocabulary_is_control_name(const char *text, size_t n_bytes)
{
    static const char *const names[] = {
        "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>",
        "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
        "<|eot_id|>", "<|eom_id|>", "<|eot|>", "<EOT>", "<start_of_turn>",
        "<end_of_turn>", "<|end_of_turn|>", "<|system|>", "<|user|>",
        "<|assistant|>", "<|end|>", "<|return|>", "<s>", "</s>",
        "<\uff5cbegin\u2581of\u2581sentence\uff5c>",
        "<\uff5cend\u2581of\u2581sentence\uff5c>",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == n_bytes
            && memcmp(names[i], text, n_bytes) == 0)
            return true;
    return false;
}
// @end vocabulary-control-name

// @begin vocabulary-bytes
bool vocabulary_is_special(unsigned type)
{
    return type == TOKEN_UNKNOWN || type == TOKEN_CONTROL
        || type == TOKEN_USER_DEFINED;
}

vocabulary_cursor vocabulary_spelled(const vocabulary *v, const char *text,
                                     size_t n_bytes)
{
    const unsigned char *bytes = (const unsigned char *)text;
    bool byte_level = v->kind == VOCABULARY_BYTE_LEVEL;
    vocabulary_cursor cursor = {bytes, bytes + n_bytes,
                                byte_level ? BYTE_LETTERS : SPACE_SIGN};
    return cursor;
}

vocabulary_cursor vocabulary_bytes(const vocabulary *v, int32_t id)
{
    const vocabulary_token *token = &v->tokens[id];
    vocabulary_cursor cursor = vocabulary_spelled(v, token->text,
                                                  token->n_bytes);
    // Special tokens are written as they appear in text.
    if (vocabulary_is_special(token->type))
        cursor.spelling = PLAIN;
    else if (token->type == TOKEN_BYTE
             && v->kind == VOCABULARY_SENTENCEPIECE)
        cursor.spelling = BYTE_NUMBER;
    return cursor;
}
// @end vocabulary-bytes

// @begin vocabulary-spell
size_t vocabulary_spell(vocabulary *v, int32_t id, unsigned char *bytes)
{
    vocabulary_token *token = &v->tokens[id];
    vocabulary_cursor cursor = vocabulary_bytes(v, id);
    size_t n = 0;
    while (vocabulary_next(&cursor, &bytes[n])) {
        // "the end" would be one token over two words.
        if (n > 0 && bytes[n] == ' ' && bytes[n - 1] != ' '
            && !vocabulary_is_special(token->type))
            v->words_apart = false;
        n++;
    }
    if (n > v->longest)
        v->longest = n;
    token->plain = n == token->n_bytes;     // no other spelling is as short
    return n;
}
// @end vocabulary-spell

// @begin vocabulary-find
static bool stands_for(const vocabulary *v, uint32_t id,
                       const unsigned char *bytes, size_t n_bytes)
{
    const vocabulary_token *token = &v->tokens[id];
    if (token->plain)
        return token->n_bytes == n_bytes
            && memcmp(token->text, bytes, n_bytes) == 0;
    vocabulary_cursor cursor = vocabulary_bytes(v, (int32_t)id);
    unsigned char byte;
    size_t n = 0;
    while (vocabulary_next(&cursor, &byte))
        if (n == n_bytes || bytes[n++] != byte)
            return false;
    return n == n_bytes;
}

// The slot of these bytes, or the free one where they would go.
static size_t find_slot(const vocabulary *v, const unsigned char *bytes,
                        size_t n_bytes, uint32_t hash)
{
    size_t slot = hash & (v->n_slots - 1);
    while (v->slots[slot] != 0) {
        uint32_t id = v->slots[slot] - 1;
        if (v->tokens[id].hash == hash && stands_for(v, id, bytes, n_bytes))
            break;
        slot = (slot + 1) & (v->n_slots - 1);
    }
    return slot;
}

// @end vocabulary-find

// @begin vocabulary-hash
// Eight bytes at a time. Multiplying by a large odd number mixes towards the
// high bits only, so each word is folded onto itself before.
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash ^= word;
    return (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u;
}

uint32_t vocabulary_hash(const unsigned char *bytes, size_t n_bytes)
{
    uint64_t hash = n_bytes, word;
    for (; n_bytes > 8; n_bytes -= 8, bytes += 8) {
        memcpy(&word, bytes, 8);
        hash = mix(hash, word);
    }
    for (word = 0; n_bytes > 0; n_bytes--)
        word = word << 8 | *bytes++;
    return (uint32_t)(mix(hash, word) >> 32);
}
// @end vocabulary-hash

// @begin vocabulary-find-2
int32_t vocabulary_find(const vocabulary *v, const unsigned char *bytes,
                        size_t n_bytes)
{
    if (n_bytes == 0 || n_bytes > v->longest)
        return -1;
    uint32_t hash = vocabulary_hash(bytes, n_bytes);
    size_t slot = find_slot(v, bytes, n_bytes, hash);
    return (int32_t)v->slots[slot] - 1;
}

int32_t vocabulary_enter(vocabulary *v, int32_t id,
                         const unsigned char *bytes, size_t n_bytes)
{
    uint32_t hash = vocabulary_hash(bytes, n_bytes);
    size_t slot = find_slot(v, bytes, n_bytes, hash);
    if (v->slots[slot] == 0) {
        v->tokens[id].hash = hash;
        v->slots[slot] = (uint32_t)id + 1;
    }
    return (int32_t)v->slots[slot] - 1;
}
// @end vocabulary-find-2

// The list is sorted, so the tokens that begin with the bytes read so far
// lie side by side, the shortest first. Each byte narrows them.
// @begin vocabulary-find-special
static size_t narrow(const vocabulary *v, size_t low, size_t high,
                     size_t depth, unsigned bound)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const vocabulary_special *s = &v->special[middle];
        if (s->n_bytes <= depth || (unsigned char)s->text[depth] < bound)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t vocabulary_find_special(const vocabulary *v,
                                const unsigned char *text, size_t n_bytes,
                                bool all, size_t *length)
{
    size_t low = 0, high = v->n_special;
    int32_t best = -1;
    for (size_t depth = 0; depth < n_bytes && low < high; depth++) {
        low = narrow(v, low, high, depth, text[depth]);
        high = narrow(v, low, high, depth, text[depth] + 1u);
        if (low == high || v->special[low].n_bytes != depth + 1)
            continue;
        int32_t id = v->special[low].id;
        if (all || v->tokens[id].type == TOKEN_USER_DEFINED) {
            best = id;
            *length = depth + 1;
        }
    }
    return best;
}
// @end vocabulary-find-special
