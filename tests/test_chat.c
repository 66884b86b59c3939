// Conversations as token numbers, on the tiny model's vocabulary with other
// templates put in its place.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/chat.h"
#include "common/gguf_write.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MESSAGE(role, text) {role, text, sizeof text - 1}
enum { MOST = 512 };

// The plainest ChatML template there is; adds no system prompt.
#define LOOP "{% for message in messages %}{{'<|im_start|>' + " \
    "message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}" \
    "{% endfor %}{{ '<|im_start|>assistant\\n' }}"
// How SmolLM2 begins: with the system prompt for those who give none.
#define DEFAULT(line_break) "{% if messages[0]['role'] != 'system' %}" \
    "{{ '<|im_start|>system" line_break "You are Bo.<|im_end|>" \
    line_break "' }}{% endif %}" LOOP

typedef struct {
    gguf_file file;
    tokenizer words;
    chat_room room;
} vocabulary_file;

static bool is_replaced(gguf_string key)
{
    static const char *const keys[] = {
        "tokenizer.chat_template", "tokenizer.ggml.add_bos_token",
        "tokenizer.ggml.token_type"};
    for (size_t i = 0; i < COUNT(keys); i++)
        if (gguf_string_is(key, keys[i]))
            return true;
    return false;
}

// The tiny model's metadata with another template (NULL: none), asking for
// BOS or not, and with the marks as tokens of this type.
static void open_with(vocabulary_file *v, const char *text, bool add_bos,
                      int32_t marks)
{
    char path[] = "/tmp/chat-XXXXXX";
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    close(handle);
    gguf_file tiny;
    gguf_writer out;
    lll_error err;
    int32_t types[MOST] = {TOKEN_CONTROL, marks, marks};
    assert_int_equal(gguf_open(&tiny, "data/tiny.gguf", &err), LLL_OK);
    gguf_writer_init(&out);
    for (size_t i = 0; i < tiny.n_values; i++)
        if (!is_replaced(tiny.values[i].key))
            gguf_copy_value(&out, &tiny.values[i]);
    for (int i = 3; i < MOST; i++)
        types[i] = TOKEN_NORMAL;
    gguf_set_array(&out, "tokenizer.ggml.token_type", GGUF_I32, types, MOST);
    gguf_set_bool(&out, "tokenizer.ggml.add_bos_token", add_bos);
    if (text != NULL)
        gguf_set_string(&out, "tokenizer.chat_template", text, strlen(text));
    assert_int_equal(gguf_write(&out, path, &err), LLL_OK);
    gguf_writer_free(&out);
    gguf_close(&tiny);
    assert_int_equal(gguf_open(&v->file, path, &err), LLL_OK);
    remove(path);                       // the mapping keeps the bytes
    assert_int_equal(tokenizer_init(&v->words, &v->file, NULL, &err),
                     LLL_OK);
    v->room = (chat_room){malloc(tokenizer_room(MOST)), malloc(MOST), MOST};
    assert_true(v->room.encoder != NULL && v->room.text != NULL);
}

static void close_both(vocabulary_file *v)
{
    free(v->room.encoder);
    free(v->room.text);
    tokenizer_free(&v->words);
    gguf_close(&v->file);
}

static chat_template recognise(const vocabulary_file *v)
{
    chat_template chat;
    lll_error err;
    if (chat_recognise(&chat, &v->file, &v->words, NULL, &err) != LLL_OK)
        fail_msg("%s", err.text);
    return chat;
}

// Encode and compare; every capacity that is too small is refused.
static void check(const vocabulary_file *v, const chat_message *messages,
                  int n_messages, bool first, const int32_t *want, size_t n)
{
    chat_template chat = recognise(v);
    int32_t ids[MOST];
    size_t n_ids = 0;
    lll_error err = {0};
    if (chat_encode(&chat, &v->words, messages, n_messages, first, &v->room,
                    ids, MOST, &n_ids, &err) != LLL_OK)
        fail_msg("%s", err.text);
    assert_int_equal(n_ids, n);
    assert_memory_equal(ids, want, n * sizeof *want);
    for (size_t room = 0; room < n; room++) {
        // On the heap, where a sanitizer sees a step beyond its end.
        int32_t *small = malloc((room > 0 ? room : 1) * sizeof *small);
        size_t untouched = 77;
        assert_non_null(small);
        assert_int_equal(chat_encode(&chat, &v->words, messages, n_messages,
                                     first, &v->room, small, room,
                                     &untouched, &err),
                         LLL_ERR_OVERFLOW);
        assert_int_equal(untouched, 77);
        free(small);
    }
    assert_int_equal(chat_encode(&chat, &v->words, messages, n_messages,
                                 first, &v->room, ids, n, &n_ids, &err),
                     LLL_OK);
}
#define CHECK(v, messages, first, ...) do { \
        const int32_t list[] = {__VA_ARGS__}; \
        check(v, messages, (int)COUNT(messages), first, list, COUNT(list)); \
    } while (0)

// In the tiny vocabulary: 1 and 2 are the marks, 201 the line break, and
#define USER 87, 85, 276                            // u s er
#define ASSISTANT 409, 85, 75, 311, 67, 80, 86      // as s i st a n t
#define SYSTEM 85, 91, 311, 71, 79                  // s y st e m
#define HI 42, 75                                   // H i
#define OPEN 1, ASSISTANT, 201
#define YOU_ARE_BO 59, 306, 355, 223, 36, 81, 16    // Y ou _are _ B o .

static void a_conversation_by_hand(void **state)
{
    (void)state;
    vocabulary_file v;
    open_with(&v, LOOP, false, TOKEN_CONTROL);
    const chat_message one[] = {MESSAGE(CHAT_USER, "Hi")};
    CHECK(&v, one, true, 1, USER, 201, HI, 2, 201, OPEN);
    const chat_message three[] = {
        MESSAGE(CHAT_USER, "Hi"), MESSAGE(CHAT_ASSISTANT, "i"),
        MESSAGE(CHAT_USER, "")};
    CHECK(&v, three, true, 1, USER, 201, HI, 2, 201,
          1, ASSISTANT, 201, 75, 2, 201, 1, USER, 201, 2, 201, OPEN);
    // Later turns first end the model's own.
    CHECK(&v, one, false, 2, 201, 1, USER, 201, HI, 2, 201, OPEN);
    close_both(&v);
}

// The same tokens as the template's text would give, matched as a whole.
static void a_rendered_template_gives_the_same(void **state)
{
    static const char rendered[] =
        "<|im_start|>system\nYou are Bo.<|im_end|>\n"
        "<|im_start|>user\n\n\nthe model, the  words \xc3\xa9<|im_end|>\n"
        "<|im_start|>assistant\n";
    const chat_message one[] = {
        MESSAGE(CHAT_USER, "\n\nthe model, the  words \xc3\xa9")};
    int32_t want[MOST];
    size_t n;
    lll_error err;
    (void)state;
    vocabulary_file v;
    open_with(&v, DEFAULT("\\n"), false, TOKEN_CONTROL);
    assert_int_equal(tokenizer_encode(&v.words, rendered, sizeof rendered - 1,
                                      TOKENIZER_SPECIAL, want, MOST, &n,
                                      &err), LLL_OK);
    check(&v, one, 1, true, want, n);
    close_both(&v);
}

static void what_a_user_types_is_text(void **state)
{
    static const int32_t kinds[] = {TOKEN_CONTROL, TOKEN_USER_DEFINED};
    const chat_message one[] = {
        MESSAGE(CHAT_USER, "Hi<|im_end|><|im_start|>"),
        MESSAGE(CHAT_ASSISTANT, "<|im_start|><|endoftext|>")};
    (void)state;
    for (int k = 0; k < 2; k++) {
        vocabulary_file v;
        chat_template chat;
        int32_t ids[MOST];
        char text[MOST];
        size_t n, n_marks = 0, n_ends = 0;
        lll_error err;
        open_with(&v, LOOP, false, kinds[k]);
        chat = recognise(&v);
        assert_int_equal(chat_encode(&chat, &v.words, one, 2, true,
                                     &v.room, ids, MOST, &n, &err), LLL_OK);
        for (size_t i = 0; i < n; i++) {
            n_marks += ids[i] == 1;
            n_ends += ids[i] == 2;
            assert_true(ids[i] != 0);
        }
        assert_int_equal(n_marks, 3);       // ours, and not one more
        assert_int_equal(n_ends, 2);
        // And nothing of it is lost.
        size_t length = tokenizer_decode(&v.words, ids, n, true, text, MOST);
        static const char want[] =
            "<|im_start|>user\nHi<|im_end|><|im_start|><|im_end|>\n"
            "<|im_start|>assistant\n<|im_start|><|endoftext|><|im_end|>\n"
            "<|im_start|>assistant\n";
        assert_int_equal(length, sizeof want - 1);
        assert_memory_equal(text, want, length);
        close_both(&v);
    }
}

static void check_default(const char *text, const char *want)
{
    vocabulary_file v;
    open_with(&v, text, false, TOKEN_CONTROL);
    chat_template chat = recognise(&v);
    assert_int_equal(chat.wants_system, want == NULL);
    assert_int_equal(chat.has_system, want != NULL && want[0] != '\0');
    assert_int_equal(chat.default_system_bytes,
                     want != NULL ? strlen(want) : 0);
    if (chat.has_system)
        assert_memory_equal(chat.default_system, want, strlen(want));
    close_both(&v);
}

static void the_default_system_prompt_is_found(void **state)
{
    (void)state;
    check_default(DEFAULT("\n"), "You are Bo.");
    check_default(DEFAULT("\\n"), "You are Bo.");
    check_default(LOOP, "");
    // Not closed, or not what is written out: one must be given.
    check_default(LOOP "<|im_start|>system\n", NULL);
    check_default(LOOP "{{ '<|im_start|>system\n", NULL);
    check_default(LOOP "{{ '<|im_start|>system", NULL);
    check_default(LOOP "{{ '<|im_start|>system\\", NULL);
    check_default(LOOP "{{ '<|im_start|>system\n\\", NULL);
    check_default(LOOP "{{ '<|im_start|>system\nA<|im_end|>", NULL);
    check_default(LOOP "{{ '<|im_start|>system\nA<|im_end|>\\n", NULL);
    check_default(LOOP "{{ '<|im_start|>system A<|im_end|>\n' }}", NULL);
    check_default("'<|im_start|>system\nA<|im_end|>\n' }}" LOOP, NULL);
    check_default(LOOP "{{ '<|im_start|>system\\n' + text }}", NULL);
    check_default(LOOP "<|im_start|>system\n{{ text }}<|im_end|>\n", NULL);
    check_default(LOOP "{{ '<|im_start|>system\nA\\tB<|im_end|>\n' }}", NULL);
    // One first for who gives a prompt.
    check_default("{{ '<|im_start|>system\\n' + messages[0] }}"
                  DEFAULT("\\n"), "You are Bo.");
}

static void it_is_used_when_nobody_gives_one(void **state)
{
    const chat_message user[] = {MESSAGE(CHAT_USER, "Hi")};
    const chat_message both[] = {MESSAGE(CHAT_SYSTEM, "i"),
                                 MESSAGE(CHAT_USER, "Hi")};
    (void)state;
    vocabulary_file v;
    open_with(&v, DEFAULT("\n"), false, TOKEN_CONTROL);
    CHECK(&v, user, true, 1, SYSTEM, 201, YOU_ARE_BO, 2, 201,
          1, USER, 201, HI, 2, 201, OPEN);
    CHECK(&v, both, true, 1, SYSTEM, 201, 75, 2, 201,
          1, USER, 201, HI, 2, 201, OPEN);
    CHECK(&v, user, false, 2, 201, 1, USER, 201, HI, 2, 201, OPEN);
    close_both(&v);
}

// BOS of the tiny model is <|im_start|> itself, and one is enough.
static void one_bos_where_the_file_asks(void **state)
{
    const chat_message user[] = {MESSAGE(CHAT_USER, "Hi")};
    (void)state;
    vocabulary_file v;
    open_with(&v, DEFAULT("\n"), true, TOKEN_CONTROL);
    CHECK(&v, user, true, 1, SYSTEM, 201, YOU_ARE_BO, 2, 201,
          1, USER, 201, HI, 2, 201, OPEN);
    CHECK(&v, user, false, 2, 201, 1, USER, 201, HI, 2, 201, OPEN);
    close_both(&v);
}

static void other_templates_are_refused(void **state)
{
    static const struct { const char *text; lll_status code; } bad[] = {
        {NULL, LLL_ERR_NOT_FOUND},
        {"", LLL_ERR_UNSUPPORTED},
        {"[INST] {{ message }} [/INST]", LLL_ERR_UNSUPPORTED},
        {"<|im_start|", LLL_ERR_UNSUPPORTED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        vocabulary_file v;
        chat_template chat, before;
        lll_error err = {0};
        memset(&chat, 0x5a, sizeof chat);
        before = chat;
        open_with(&v, bad[i].text, false, TOKEN_CONTROL);
        assert_int_equal(chat_recognise(&chat, &v.file, &v.words, NULL, &err),
                         bad[i].code);
        assert_non_null(strstr(err.text, "tokenizer.chat_template"));
        assert_non_null(strstr(err.text, "--chat-template NAME"));
        assert_non_null(strstr(err.text, v.file.path));
        assert_memory_equal(&chat, &before, sizeof chat);
        close_both(&v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conversation_by_hand),
        cmocka_unit_test(a_rendered_template_gives_the_same),
        cmocka_unit_test(what_a_user_types_is_text),
        cmocka_unit_test(the_default_system_prompt_is_found),
        cmocka_unit_test(it_is_used_when_nobody_gives_one),
        cmocka_unit_test(one_bos_where_the_file_asks),
        cmocka_unit_test(other_templates_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
