#include "common/pretokenize_rules.h"

#include <string.h>

#include "common/unicode.h"

// @begin pretokenize-sets
#define KINDS(bits) {bits, false, NULL}
#define ALL_BUT(bits) {bits, true, NULL}
enum { WORD = UNICODE_LETTER | UNICODE_NUMBER };

static const char_set blank = KINDS(UNICODE_BLANK);
static const char_set space = KINDS(UNICODE_SPACE);
static const char_set newline = KINDS(UNICODE_NEWLINE);
static const char_set letter = KINDS(UNICODE_LETTER);
static const char_set number = KINDS(UNICODE_NUMBER);
static const char_set digit = KINDS(UNICODE_DIGIT);
static const char_set punctuation = KINDS(UNICODE_PUNCTUATION);
static const char_set other = ALL_BUT(UNICODE_SPACE | WORD);
static const char_set not_line_or_word = ALL_BUT(UNICODE_NEWLINE | WORD);
static const char_set letter_or_mark = KINDS(UNICODE_LETTER | UNICODE_MARK);
static const char_set not_word_or_mark =
    ALL_BUT(UNICODE_SPACE | WORD | UNICODE_MARK);
// @end pretokenize-sets

// What GPT-2 and its many heirs do.
// @begin pretokenize-gpt2
static const pretokenize_rule gpt2[] = {
    {SHORTENED, NULL, NULL, NULL, 0, 0},
    {RUN, &blank, &letter, NULL, 1, 0},     //  ?\p{L}+
    {RUN, &blank, &number, NULL, 1, 0},     //  ?\p{N}+
    {RUN, &blank, &other, NULL, 1, 0},      //  ?[^\s\p{L}\p{N}]+
    {SPACES_BEFORE_WORD, NULL, NULL, NULL, 0, 0},
    {RUN, NULL, &space, NULL, 1, 0},
};
static const pretokenize_rule one_number[] = {
    {RUN, NULL, &number, NULL, 1, 1},       // \p{N}
};
// @end pretokenize-gpt2

// @begin pretokenize-llama3
static const pretokenize_rule llama3[] = {
    {SHORTENED_ANY_CASE, NULL, NULL, NULL, 0, 0},
    {RUN, &not_line_or_word, &letter, NULL, 1, 0},
    {RUN, NULL, &number, NULL, 1, 3},       // \p{N}{1,3}
    {RUN, &blank, &other, &newline, 1, 0},  //  ?[^\s\p{L}\p{N}]+[\r\n]*
    {LINES, NULL, NULL, NULL, 0, 0},
    {SPACES_BEFORE_WORD, NULL, NULL, NULL, 0, 0},
    {RUN, NULL, &space, NULL, 1, 0},
};
static const pretokenize_rule qwen2[] = {
    {SHORTENED_ANY_CASE, NULL, NULL, NULL, 0, 0},
    {RUN, &not_line_or_word, &letter, NULL, 1, 0},
    {RUN, NULL, &number, NULL, 1, 1},       // \p{N}: all that differs
    {RUN, &blank, &other, &newline, 1, 0},
    {LINES, NULL, NULL, NULL, 0, 0},
    {SPACES_BEFORE_WORD, NULL, NULL, NULL, 0, 0},
    {RUN, NULL, &space, NULL, 1, 0},
};
static const pretokenize_rule up_to_three_numbers[] = {
    {RUN, NULL, &number, NULL, 1, 3},
};
// @end pretokenize-llama3

// The first that keeps accents which are characters of their own with their
// letters.
// @begin pretokenize-qwen35
static const pretokenize_rule qwen35[] = {
    {SHORTENED_ANY_CASE, NULL, NULL, NULL, 0, 0},
    {RUN, &not_line_or_word, &letter_or_mark, NULL, 1, 0},
    {RUN, NULL, &number, NULL, 1, 1},
    {RUN, &blank, &not_word_or_mark, &newline, 1, 0},
    {LINES, NULL, NULL, NULL, 0, 0},
    {SPACES_BEFORE_WORD, NULL, NULL, NULL, 0, 0},
    {RUN, NULL, &space, NULL, 1, 0},
};
// @end pretokenize-qwen35

// @begin pretokenize-falcon
static const char_range falcon_symbols[] = {
    {'$', '$'}, {'+', '+'}, {'<', '>'}, {'^', '^'}, {'`', '`'}, {'|', '|'},
    {'~', '~'}, {0, 0},
};
static const char_range default_symbols[] = {       // the same without `
    {'$', '$'}, {'+', '+'}, {'<', '>'}, {'^', '^'}, {'|', '|'}, {'~', '~'},
    {0, 0},
};
static const char_set falcon_mark = {UNICODE_PUNCTUATION, false,
                                     falcon_symbols};
static const char_set default_mark = {UNICODE_PUNCTUATION, false,
                                      default_symbols};
static const pretokenize_rule falcon_marks[] = {
    {RUN, NULL, &falcon_mark, NULL, 1, 0},
};
static const pretokenize_rule default_marks[] = {
    {RUN, NULL, &default_mark, NULL, 1, 0},
};
static const pretokenize_rule three_digits[] = {
    {RUN, NULL, &digit, NULL, 3, 3},        // [0-9][0-9][0-9]
};
static const pretokenize_rule numbers[] = {
    {RUN, NULL, &number, NULL, 1, 0},       // \p{N}+
};
// @end pretokenize-falcon

// DeepSeek wrote the letters that have case as a list, from an older
// Unicode than ours: what was added since is no letter to that model.
// @begin pretokenize-deepseek
static const char_range cased_letters[] = {
    {'A', 'Z'}, {'a', 'z'}, {0xb5, 0xb5}, {0xc0, 0xd6}, {0xd8, 0xf6},
    {0xf8, 0x1ba}, {0x1bc, 0x1bf}, {0x1c4, 0x293}, {0x295, 0x2af},
    {0x370, 0x373}, {0x376, 0x377}, {0x37b, 0x37d}, {0x37f, 0x37f},
    {0x386, 0x386}, {0x388, 0x38a}, {0x38c, 0x38c}, {0x38e, 0x3a1},
    {0x3a3, 0x3f5}, {0x3f7, 0x481}, {0x48a, 0x52f}, {0x531, 0x556},
    {0x10a0, 0x10c5}, {0x13a0, 0x13f5}, {0x13f8, 0x13fd}, {0x1c90, 0x1cba},
    {0x1cbd, 0x1cbf}, {0x1d00, 0x1d2b}, {0x1d6b, 0x1d77}, {0x1d79, 0x1d9a},
    {0x1e00, 0x1f15}, {0x1f18, 0x1f1d}, {0x1f20, 0x1f45}, {0x1f48, 0x1f4d},
    {0x1f50, 0x1f57}, {0x1f59, 0x1f59}, {0x1f5b, 0x1f5b}, {0x1f5d, 0x1f5d},
    {0x1f5f, 0x1f7d}, {0x1f80, 0x1fb4}, {0x1fb6, 0x1fbc}, {0x1fbe, 0x1fbe},
    {0x1fc2, 0x1fc4}, {0x1fc6, 0x1fcc}, {0x1fd0, 0x1fd3}, {0x1fd6, 0x1fdb},
    {0x1fe0, 0x1fec}, {0x1ff2, 0x1ff4}, {0x1ff6, 0x1ffc}, {0x2102, 0x2102},
    {0x2107, 0x2107}, {0x210a, 0x2113}, {0x2115, 0x2115}, {0x2119, 0x211d},
    {0x2124, 0x2124}, {0x2126, 0x2126}, {0x2128, 0x2128}, {0x212a, 0x212d},
    {0x212f, 0x2134}, {0x2139, 0x2139}, {0x213c, 0x213f}, {0x2145, 0x2149},
    {0x214e, 0x214e}, {0x2183, 0x2184}, {0x2c00, 0x2c7b}, {0x2c7e, 0x2ce4},
    {0x2ceb, 0x2cee}, {0x2cf2, 0x2cf3}, {0xa640, 0xa66d}, {0xa680, 0xa69b},
    {0xa722, 0xa76f}, {0xa771, 0xa787}, {0xa78b, 0xa78e}, {0xab70, 0xabbf},
    {0xfb00, 0xfb06}, {0xfb13, 0xfb17}, {0xff21, 0xff3a}, {0xff41, 0xff5a},
    {0x10400, 0x1044f}, {0x104b0, 0x104d3}, {0x104d8, 0x104fb},
    {0x10c80, 0x10cb2}, {0x10cc0, 0x10cf2}, {0x118a0, 0x118df},
    {0x1e900, 0x1e943}, {0, 0},
};
static const char_range deepseek_marks[] = {
    {'!', '/'}, {':', '~'}, {0x2018, 0x201f}, {0x3000, 0x3002},
    {0xff01, 0xff0f}, {0xff1a, 0xff5e}, {0, 0},
};
static const char_range asian[] = {
    {0x800, 0x9fa5}, {0xac00, 0xd7ff}, {0, 0},
};
// @end pretokenize-deepseek

// @begin pretokenize-deepseek-rules
static const char_set deepseek_cased = {0, false, cased_letters};
static const char_set deepseek_mark = {0, false, deepseek_marks};
static const char_set deepseek_asian = {0, false, asian};

static const pretokenize_rule one_newline[] = {
    {RUN, NULL, &newline, NULL, 1, 1},              // [\r\n]
};
static const pretokenize_rule deepseek_words[] = {
    {RUN, &space, &deepseek_cased, NULL, 1, 0},     // \s?[A-Za-z...]+
};
static const pretokenize_rule deepseek_signs[] = {
    {RUN, &space, &deepseek_mark, NULL, 1, 0},      // \s?[!-/:-~...]+
};
static const pretokenize_rule deepseek_end[] = {
    {SPACES_AT_END, NULL, NULL, NULL, 0, 0},
};
static const pretokenize_rule deepseek_asia[] = {
    {RUN, NULL, &deepseek_asian, NULL, 1, 0},
};
static const pretokenize_rule coder_words[] = {
    {RUN, &space, &letter, NULL, 1, 0},             // \s?\p{L}+
};
static const pretokenize_rule coder_marks[] = {
    {RUN, &space, &punctuation, NULL, 1, 0},        // \s?\p{P}+
};
// @end pretokenize-deepseek-rules

// DeepSeek 3 keeps marks with their letters, and one sign with a word.
// @begin pretokenize-deepseek3
static const char_range ascii_signs[] = {
    {'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}, {0, 0},
};
static const char_range ascii_letters[] = {{'A', 'Z'}, {'a', 'z'}, {0, 0}};
static const char_range han_and_kana[] = {
    {0x3040, 0x30ff}, {0x4e00, 0x9fa5}, {0, 0},
};
enum { SIGN = UNICODE_PUNCTUATION | UNICODE_SYMBOL };
static const char_set ascii_sign = {0, false, ascii_signs};
static const char_set ascii_letter = {0, false, ascii_letters};
static const char_set han_or_kana = {0, false, han_and_kana};
static const char_set sign = KINDS(SIGN);
static const char_set not_line_letter_sign =
    ALL_BUT(UNICODE_NEWLINE | UNICODE_LETTER | SIGN);

static const pretokenize_rule deepseek3_asia[] = {
    {RUN, NULL, &han_or_kana, NULL, 1, 0},
};
static const pretokenize_rule deepseek3[] = {
    {LED_RUN, &ascii_sign, &ascii_letter, NULL, 1, 0},
    {RUN, &not_line_letter_sign, &letter_or_mark, NULL, 1, 0},
    {RUN, &blank, &sign, &newline, 1, 0},
    {LINES, NULL, NULL, NULL, 0, 0},
    {SPACES_BEFORE_WORD, NULL, NULL, NULL, 0, 0},
    {RUN, NULL, &space, NULL, 1, 0},
};
// @end pretokenize-deepseek3

// @begin pretokenize-table
#define PASS(rules) {rules, sizeof rules / sizeof rules[0]}

static const pretokenizer table[] = {
    {"gpt-2 phi-2 mpt olmo jina-es jina-de jina-v1-en jina-v2-es jina-v2-de "
     "jina-v2-code roberta-bpe gigachat a.x-4.0 mellum jais exaone4 trillion "
     "modern-bert granite-docling",
     {PASS(gpt2)}, 1, false, false},
    {"smollm starcoder refact command-r codeshell exaone minerva-7b mellum2",
     {PASS(one_number), PASS(gpt2)}, 2, false, false},
    {"llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 "
     "jina-v5-nano", {PASS(llama3)}, 1, true, true},
    {"minicpm5", {PASS(up_to_three_numbers), PASS(llama3)}, 2, true, false},
    {"dbrx smaug-bpe chatglm-bpe glm4", {PASS(llama3)}, 1, false, false},
    {"qwen2 stablelm2 deepseek-r1-qwen megrez hunyuan grok-2 kormo f2llmv2 "
     "solar-open", {PASS(qwen2)}, 1, false, false},
    {"qwen35", {PASS(qwen35)}, 1, false, false},
    {"falcon", {PASS(falcon_marks), PASS(gpt2), PASS(three_digits)}, 3,
     false, false},
    {"default", {PASS(default_marks), PASS(gpt2), PASS(numbers),
                 PASS(three_digits)}, 4, false, false},
    {"deepseek-llm", {PASS(one_newline), PASS(deepseek_words),
                      PASS(deepseek_signs), PASS(deepseek_end),
                      PASS(deepseek_asia), PASS(numbers)}, 6, false, false},
    {"deepseek-coder", {PASS(one_newline), PASS(coder_words),
                        PASS(coder_marks), PASS(deepseek_asia),
                        PASS(one_number)}, 5, false, false},
    {"deepseek-v3 hunyuan-dense hy_v4 joyai-llm",
     {PASS(up_to_three_numbers), PASS(deepseek3_asia), PASS(deepseek3)}, 3,
     false, false},
};
// @end pretokenize-table

// @begin pretokenize-find
lll_status pretokenize_find(const char *name, size_t n_bytes,
                            const pretokenizer **out, lll_error *err)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *word = table[i].names;
        while (*word != '\0') {
            size_t n = strcspn(word, " ");
            if (n == n_bytes && memcmp(word, name, n) == 0) {
                *out = &table[i];
                return LLL_OK;
            }
            word += n + strspn(word + n, " ");
        }
    }
    return lll_fail(err, LLL_ERR_UNSUPPORTED,
                    "the pre-tokenizer \"%.*s\" is not one we know, expected "
                    "one of gpt-2, smollm, llama-bpe, qwen2, falcon, "
                    "deepseek-llm, deepseek-coder, ...; --pre NAME uses "
                    "another one in its place",
                    n_bytes < 64 ? (int)n_bytes : 64, name);
}

const char *pretokenize_names(size_t i)
{
    return i < sizeof table / sizeof table[0] ? table[i].names : NULL;
}
// @end pretokenize-find
