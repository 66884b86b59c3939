#include "common/pretokenize.h"

#include <stdint.h>
#include <string.h>

#include "common/pretokenize_rules.h"
#include "common/unicode.h"

// @begin pretokenize-char
typedef struct {
    uint32_t code;
    unsigned kind;
    size_t n_bytes;
} character;

// Something that is not UTF-8 is one byte of no kind.
static character read_beyond_ascii(const unsigned char *bytes, size_t n_bytes)
{
    uint32_t code;
    int used = unicode_decode(bytes, n_bytes, &code);
    if (used < 1)
        return (character){UINT32_MAX, 0, 1};
    return (character){code, unicode_kind(code), (size_t)used};
}

static character read_char(const unsigned char *text, size_t at, size_t end)
{
    if (text[at] < 0x80)
        return (character){text[at], unicode_ascii[text[at]], 1};
    return read_beyond_ascii(text + at, end - at);
}
// @end pretokenize-char

// @begin pretokenize-in-set
static bool in_ranges(const char_range *range, uint32_t code)
{
    while (range->last != 0 && range->last < code)
        range++;
    return range->last != 0 && range->first <= code;
}

static bool in_set(const char_set *set, const character *c)
{
    bool found = (c->kind & set->kinds) != 0
        || (set->ranges != NULL && in_ranges(set->ranges, c->code));
    return found != set->all_but;
}
// @end pretokenize-in-set

// @begin pretokenize-span
// Where the characters that are in the set (or those that are not) end.
static size_t span(const char_set *set, bool inside,
                   const unsigned char *text, size_t at, size_t end)
{
    bool found = inside != set->all_but;
    while (at < end) {
        // Nearly all of most texts is this loop.
        while (set->ranges == NULL && at < end && text[at] < 0x80
               && ((unicode_ascii[text[at]] & set->kinds) != 0) == found)
            at++;
        if (at == end)
            break;
        character c = read_char(text, at, end);
        if (in_set(set, &c) != inside)
            break;
        at += c.n_bytes;
    }
    return at;
}
// @end pretokenize-span

// @begin pretokenize-body
// Where the body ends, of which `n` characters end at text[at], and what may
// follow it; 0 when it is too short.
static size_t match_body(const pretokenize_rule *rule, unsigned n,
                         const unsigned char *text, size_t at, size_t end)
{
    if (rule->maximum == 0) {
        size_t stop = span(rule->body, true, text, at, end);
        n += stop > at;                 // the minimum is 1 then
        at = stop;
    }
    for (; n < rule->maximum && at < end; n++) {
        character c = read_char(text, at, end);
        if (!in_set(rule->body, &c))
            break;
        at += c.n_bytes;
    }
    if (n < rule->minimum)
        return 0;
    return rule->tail == NULL ? at : span(rule->tail, true, text, at, end);
}
// @end pretokenize-body

// @begin pretokenize-run
// Each of these returns where its match of text[at...] ends, or `at` when
// there is none. `first` is the character there.
static size_t match_run(const pretokenize_rule *rule, const character *first,
                        const unsigned char *text, size_t at, size_t end)
{
    size_t next = at + first->n_bytes, stop = 0;
    if (rule->lead != NULL && in_set(rule->lead, first))
        stop = match_body(rule, 0, text, next, end);
    // A lead that nothing follows may itself be what the body wants.
    if (stop == 0 && rule->kind == RUN && in_set(rule->body, first))
        stop = match_body(rule, 1, text, next, end);
    return stop > 0 ? stop : at;
}
// @end pretokenize-run

// @begin pretokenize-shortened
static size_t match_shortened(const unsigned char *text, size_t at,
                              size_t end, bool any_case)
{
    static const char *const endings[] = {"s", "t", "re", "ve", "m", "ll",
                                          "d"};
    if (text[at] != '\'')
        return at;
    const unsigned char *p = text + at + 1;
    size_t left = end - at - 1;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t n = strlen(endings[i]), j = 0;
        while (j < n && j < left
               && (p[j] == endings[i][j]
                   || (any_case && (p[j] | 0x20) == endings[i][j])))
            j++;
        if (j == n)
            return at + 1 + n;
    }
    // Case folding makes the long s, U+017F, another spelling of s.
    if (any_case && left >= 2 && p[0] == 0xc5 && p[1] == 0xbf)
        return at + 3;
    return at;
}
// @end pretokenize-shortened

// @begin pretokenize-spaces
// The rules about runs of spaces look at the whole run once. `*run` is how
// long it is: none of them has to look at its inside again.
static size_t match_spaces(rule_kind kind, const unsigned char *text,
                           size_t at, size_t end, size_t *run)
{
    size_t stop = at, last = at, line = at;
    while (stop < end) {
        character c = read_char(text, stop, end);
        if (!(c.kind & UNICODE_SPACE))
            break;
        last = stop;
        stop += c.n_bytes;
        if (c.kind & UNICODE_NEWLINE)
            line = stop;
    }
    *run = stop - at;
    if (kind == LINES)
        return line;
    if (kind == SPACES_AT_END)
        return stop == end ? stop : at;
    return stop == end ? stop : last;
}
// @end pretokenize-spaces

// @begin pretokenize-match
// Where the piece that begins at text[at] ends, by the first rule that
// matches; `at` when none does. `*hopeless` is then how many bytes need not
// be tried again.
static size_t match(const pretokenize_pass *pass, const unsigned char *text,
                    size_t at, size_t end, size_t *hopeless)
{
    character first = read_char(text, at, end);
    *hopeless = first.n_bytes;
    for (size_t i = 0; i < pass->n_rules; i++) {
        const pretokenize_rule *rule = &pass->rules[i];
        size_t stop = at, run;
        if (rule->kind == RUN || rule->kind == LED_RUN)
            stop = match_run(rule, &first, text, at, end);
        else if (rule->kind == SHORTENED || rule->kind == SHORTENED_ANY_CASE)
            stop = match_shortened(text, at, end,
                                   rule->kind == SHORTENED_ANY_CASE);
        else if (first.kind & UNICODE_SPACE) {
            stop = match_spaces(rule->kind, text, at, end, &run);
            // Only alone in its pass does it decide for the whole run.
            // Without this, a million spaces before a word would be
            // looked at a million times.
            if (pass->n_rules == 1)
                *hopeless = run;
        }
        if (stop > at)
            return stop;
    }
    return at;
}
// @end pretokenize-match

// @begin pretokenize-cut
// The end of the next piece of a pass: a match, or what lies before one.
static size_t cut(const pretokenize_pass *pass, const unsigned char *text,
                  size_t begin, size_t end)
{
    size_t hopeless;
    size_t at = match(pass, text, begin, end, &hopeless);
    if (at > begin)
        return at;
    // All that a rule alone can begin with, where it has no lead.
    const char_set *starts = pass->n_rules == 1 && pass->rules->lead == NULL
                           ? pass->rules->body : NULL;
    do {
        at += hopeless;
        if (starts != NULL)
            at = span(starts, false, text, at, end);
    } while (at < end && match(pass, text, at, end, &hopeless) == at);
    return at;
}
// @end pretokenize-cut

// @begin pretokenize-next
void pretokenize_begin(pretokenize_scan *scan, const pretokenizer *rules,
                       const char *text, size_t n_bytes)
{
    memset(scan, 0, sizeof *scan);
    scan->rules = rules;
    scan->text = (const unsigned char *)text;
    scan->end[0] = n_bytes;
}

bool pretokenize_next(pretokenize_scan *scan, size_t *begin, size_t *end)
{
    size_t level = scan->level;
    while (level > 0 && scan->begin[level] == scan->end[level])
        level--;
    if (scan->begin[level] == scan->end[level])
        return false;
    // Down to the last pass, each cutting one piece off what it was given.
    while (level < scan->rules->n_passes) {
        size_t stop = cut(&scan->rules->passes[level], scan->text,
                          scan->begin[level], scan->end[level]);
        scan->begin[level + 1] = scan->begin[level];
        scan->end[level + 1] = stop;
        scan->begin[level] = stop;
        level++;
    }
    *begin = scan->begin[level];
    *end = scan->end[level];
    scan->begin[level] = scan->end[level];
    scan->level = level;
    return true;
}
// @end pretokenize-next
