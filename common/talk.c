#include "common/talk.h"

#include <inttypes.h>
#include <string.h>

#include "common/file.h"
#include "common/generate.h"
#include "common/sha256.h"

// @begin talk-turns
void talk_add(talk *t, int begin, int answer)
{
    if (t->n_turns == TALK_TURNS)
        memmove(t->turns, t->turns + 1,
                (size_t)--t->n_turns * sizeof t->turns[0]);
    t->turns[t->n_turns++] = (talk_turn){begin, answer};
}

bool talk_undo(talk *t, session *s)
{
    if (t->n_turns == 0)
        return false;
    kv_cache_truncate(&s->model.caches[0], t->turns[--t->n_turns].begin);
    if (s->model.caches[0].length == 0)
        t->n_kept = 0;
    return true;
}

void talk_reset(talk *t, session *s)
{
    t->n_turns = t->n_kept = 0;
    kv_cache_truncate(&s->model.caches[0], 0);
}
// @end talk-turns

// @begin talk-header
// A saved talk: this, the token numbers, the turns, for each layer and head
// the keys and the values of all positions, the text, and the hash of all
// that.
static const char magic[8] = {'L', 'L', 'L', 'T', 'A', 'L', 'K', '1'};

typedef struct {
    char magic[8];
    char model[SHA256_TEXT], format[23];
    uint32_t type, length;          // of the cache
    uint32_t n_turns, n_kept;
    uint64_t text_bytes;
} saved_header;

// What stands for a model: its size, its metadata, and of each tensor 16
// pieces, from its first bytes to its last. To hash all of the weights would
// take longer than to read them.
static void identify(const gguf_file *file, char text[SHA256_TEXT])
{
    enum { PIECES = 16, PIECE = 64 };
    uint64_t n_bytes = file->n_bytes;
    sha256 hash;
    sha256_init(&hash);
    sha256_add(&hash, &n_bytes, sizeof n_bytes);
    sha256_add(&hash, file->map.bytes, file->lists_end);
    for (size_t i = 0; i < file->n_tensors; i++) {
        const unsigned char *bytes = file->tensors[i].data;
        size_t n = file->tensors[i].n_bytes;
        size_t piece = n < PIECE ? n : PIECE;
        size_t steps = (n - piece) / (PIECES - 1);
        for (size_t k = 0; k < PIECES; k++)
            sha256_add(&hash, k < PIECES - 1 ? bytes + k * steps
                                             : bytes + n - piece, piece);
    }
    sha256_finish(&hash, text);
}
// @end talk-header

// @begin talk-describe
static saved_header describe(const talk *t, const session *s,
                             const char *format)
{
    const kv_cache *c = &s->model.caches[0];
    saved_header h;
    memset(&h, 0, sizeof h);        // the bytes between its fields, too
    memcpy(h.magic, magic, sizeof magic);
    identify(&s->file, h.model);
    strncpy(h.format, format, sizeof h.format - 1);
    h.type = (uint32_t)c->type;
    h.length = (uint32_t)c->length;
    h.n_turns = (uint32_t)t->n_turns;
    h.n_kept = (uint32_t)t->n_kept;
    return h;
}
// @end talk-describe

// @begin talk-saver
// Bytes on their way into the file and into its hash.
typedef struct {
    file_writer out;
    sha256 hash;
    lll_status status;
    lll_error *err;
} saver;

static void put(void *context, const void *bytes, size_t n)
{
    saver *w = context;
    if (w->status != LLL_OK)
        return;
    sha256_add(&w->hash, bytes, n);
    w->status = file_write(&w->out, bytes, n, w->err);
}

// The text of the tokens, into the file, or only counted where w is NULL.
static uint64_t put_text(saver *w, const session *s)
{
    const llama *m = &s->model;
    uint64_t total = 0;
    for (int i = 0; i < m->caches[0].length; i++) {
        size_t n = tokenizer_piece(&s->words, generate_history(m, 0)[i], true,
                                   m->message, m->text_bytes);
        if (n > m->text_bytes)
            n = m->text_bytes;
        if (w != NULL)
            put(w, m->message, n);
        total += n;
    }
    return total;
}
// @end talk-saver

// @begin talk-try
// A name that was mistyped must not cost a model or a letter.
static lll_status check_place(const char *path, lll_error *err)
{
    file_map map;
    if (file_map_open(&map, path, NULL) != LLL_OK)
        return LLL_OK;              // nothing there, or file_create() says
    bool is_talk = map.n_bytes >= sizeof magic
                   && memcmp(map.bytes, magic, sizeof magic) == 0;
    file_map_close(&map);
    if (is_talk)
        return LLL_OK;
    return lll_fail(err, LLL_ERR_ARGUMENT, "%s: another file is there, "
                    "expected nothing or a saved talk; take another name, "
                    "or remove it first", path);
}

lll_status talk_try(const char *path, lll_error *err)
{
    file_writer out;
    lll_status status = check_place(path, err);
    if (status == LLL_OK)
        status = file_create(&out, path, err);
    if (status == LLL_OK)
        file_abandon(&out);
    return status;
}
// @end talk-try

// @begin talk-save
lll_status talk_save(const talk *t, const session *s, const char *format,
                     const char *path, lll_error *err)
{
    const kv_cache *c = &s->model.caches[0];
    char hash[SHA256_TEXT];
    saved_header h = describe(t, s, format);
    saver w = {.status = LLL_OK, .err = err};
    lll_status status = check_place(path, err);
    if (status == LLL_OK)
        status = file_create(&w.out, path, err);
    if (status != LLL_OK)
        return status;
    h.text_bytes = put_text(NULL, s);
    sha256_init(&w.hash);
    put(&w, &h, sizeof h);
    put(&w, generate_history(&s->model, 0),
        (size_t)c->length * sizeof(int32_t));
    put(&w, t->turns, (size_t)t->n_turns * sizeof t->turns[0]);
    kv_cache_give(c, put, &w);
    put_text(&w, s);
    sha256_finish(&w.hash, hash);
    if (w.status == LLL_OK)
        w.status = file_write(&w.out, hash, sizeof hash, err);
    if (w.status == LLL_OK)
        return file_commit(&w.out, err);
    file_abandon(&w.out);
    return w.status;
}
// @end talk-save

// @begin talk-check
// Is it a talk with this model, in this kind of cache?
static lll_status check_header(const saved_header *h, const saved_header *own,
                               int capacity, const char *path,
                               lll_error *err)
{
    if (memcmp(h->model, own->model, sizeof own->model) != 0)
        return lll_fail(err, LLL_ERR_UNSUPPORTED,
                        "%s: a talk with another model; give that one with "
                        "-m", path);
    if (h->type != own->type)
        return lll_fail(err, LLL_ERR_UNSUPPORTED,
                        "%s: saved with a cache of %s, found %s; use the "
                        "same -ctk and --activations", path,
                        dtype_name(h->type), dtype_name(own->type));
    if (memcmp(h->format, own->format, sizeof own->format) != 0)
        return lll_fail(err, LLL_ERR_UNSUPPORTED,
                        "%s: a talk by the template %.22s, found %s", path,
                        h->format, own->format);
    if (h->length > (uint32_t)capacity)
        return lll_fail(err, LLL_ERR_UNSUPPORTED,
                        "%s: holds %" PRIu32 " tokens, the context has room "
                        "for %d; use -c %" PRIu32 " or more", path,
                        h->length, capacity, h->length);
    return LLL_OK;
}
// @end talk-check

// @begin talk-body
static lll_status broken(const char *path, const char *why, lll_error *err)
{
    return lll_fail(err, LLL_ERR_FORMAT, "%s: not a saved talk, or one that "
                    "was cut or changed: %s", path, why);
}

// The bytes behind the header, or SIZE_MAX when they cannot be so many.
static size_t body_bytes(const saved_header *h, const kv_cache *c,
                         size_t available)
{
    // The length has passed check_header(); the rest is the cache's own.
    size_t fixed = h->length * sizeof(int32_t)
                 + h->n_turns * sizeof(talk_turn) + SHA256_TEXT
                 + 2 * (size_t)c->n_layers * (size_t)c->n_kv_heads
                   * h->length * c->row_bytes;
    return h->n_turns > TALK_TURNS || h->text_bytes > available
           || fixed > available - h->text_bytes ? SIZE_MAX
                                                : fixed + h->text_bytes;
}
// @end talk-body

// @begin talk-sound
// Do the numbers make sense?
static bool sound(const saved_header *h, const int32_t *ids,
                  const talk_turn *turns, size_t n_tokens)
{
    int32_t end = 0;
    if (h->n_kept > h->length)
        return false;
    for (uint32_t i = 0; i < h->length; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= n_tokens)
            return false;
    for (uint32_t i = 0; i < h->n_turns; i++) {
        if (turns[i].begin < end || turns[i].answer <= turns[i].begin
            || turns[i].answer > (int32_t)h->length)
            return false;
        end = turns[i].answer;
    }
    return true;
}
// @end talk-sound

// @begin talk-check-file
static lll_status check_file(const file_map *map, const session *s,
                             const saved_header *own, const char *path,
                             lll_error *err)
{
    const kv_cache *c = &s->model.caches[0];
    char text[SHA256_TEXT];
    saved_header h;
    sha256 hash;
    if (map->n_bytes < sizeof h)
        return broken(path, "too short", err);
    memcpy(&h, map->bytes, sizeof h);
    if (memcmp(h.magic, own->magic, sizeof h.magic) != 0)
        return broken(path, "another beginning", err);
    lll_status status = check_header(&h, own, c->capacity, path, err);
    if (status != LLL_OK)
        return status;
    size_t n = map->n_bytes - sizeof h;
    if (body_bytes(&h, c, n) != n)
        return broken(path, "another length", err);
    sha256_init(&hash);
    sha256_add(&hash, map->bytes, map->n_bytes - sizeof text);
    sha256_finish(&hash, text);
    if (memcmp(text, map->bytes + map->n_bytes - sizeof text, sizeof text)
        != 0)
        return broken(path, "another hash", err);
    // The header's size keeps what follows it aligned.
    const int32_t *ids = (const void *)(map->bytes + sizeof h);
    if (!sound(&h, ids, (const void *)(ids + h.length), s->words.n_tokens))
        return broken(path, "numbers out of range", err);
    return LLL_OK;
}
// @end talk-check-file

// @begin talk-take
// Everything was checked: copy it.
static void take(talk *t, session *s, const unsigned char *from)
{
    saved_header h;
    memcpy(&h, from, sizeof h);
    from += sizeof h;
    memcpy(generate_history(&s->model, 0), from,
           h.length * sizeof(int32_t));
    from += h.length * sizeof(int32_t);
    t->n_turns = (int)h.n_turns;
    t->n_kept = (int)h.n_kept;
    memcpy(t->turns, from, h.n_turns * sizeof t->turns[0]);
    from += h.n_turns * sizeof t->turns[0];
    kv_cache_fill(&s->model.caches[0], (int)h.length, from);
}
// @end talk-take

// @begin talk-load
lll_status talk_load(talk *t, session *s, const char *format,
                     const char *path, lll_error *err)
{
    const saved_header own = describe(t, s, format);
    file_map map;
    lll_status status = file_map_open(&map, path, err);
    if (status != LLL_OK)
        return status;
    status = check_file(&map, s, &own, path, err);
    if (status == LLL_OK)
        take(t, s, map.bytes);
    file_map_close(&map);
    return status;
}
// @end talk-load
