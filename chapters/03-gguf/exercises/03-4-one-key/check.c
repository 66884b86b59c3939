#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chapters/03-gguf/exercises/03-4-one-key/key.h"
#include "tools/exercise.h"

enum { U8, I8, U16, I16, U32, I32, F32, BOOL, TEXT, ARRAY, U64, I64, F64 };
enum { UNTOUCHED = 4711 };

static unsigned char made[4096];
static size_t n_made;

static void put(const void *from, size_t n)
{
    memcpy(made + n_made, from, n);
    n_made += n;
}

static void put_u32(uint32_t number) { put(&number, sizeof number); }
static void put_u64(uint64_t number) { put(&number, sizeof number); }

static void begin(uint64_t n_entries)
{
    n_made = 0;
    put("GGUF", 4);
    put_u32(3);
    put_u64(0);
    put_u64(n_entries);
}

static void put_entry(const char *key, uint32_t type)
{
    put_u64(strlen(key));
    put(key, strlen(key));
    put_u32(type);
}

static void put_wanted(uint32_t number)
{
    put_entry("a.width", U32);
    put_u32(number);
}

static void put_array(const char *key, uint32_t item_type, uint64_t n_items)
{
    put_entry(key, ARRAY);
    put_u32(item_type);
    put_u64(n_items);
}

static const char *name_of(lll_status status)
{
    return status == LLL_OK ? "LLL_OK"
           : status == LLL_ERR_NOT_FOUND ? "LLL_ERR_NOT_FOUND"
           : status == LLL_ERR_UNSUPPORTED ? "LLL_ERR_UNSUPPORTED"
           : status == LLL_ERR_FORMAT ? "LLL_ERR_FORMAT" : "another status";
}

// The first n bytes of what was made, alone in memory, at an odd address.
static lll_status ask(size_t n, uint32_t *value)
{
    unsigned char *block = malloc(n + 1);
    memcpy(block + 1, made, n);
    *value = UNTOUCHED;
    lll_status status = find_u32(block + 1, n, "a.width", value);
    free(block);
    return status;
}

static void expect(const char *name, lll_status wanted, uint32_t number)
{
    uint32_t value;
    lll_status status = ask(n_made, &value);
    if (status != wanted)
        exercise_case(false, name, "expected %s, got %s", name_of(wanted),
                      name_of(status));
    else if (status == LLL_OK)
        exercise_case(value == number, name, "expected %u, got %u", number,
                      value);
    else
        exercise_case(value == UNTOUCHED, name, "*value was changed");
}

static void put_numbers(void)
{
    static const struct { uint32_t type; size_t width; } all[] = {
        {U8, 1}, {I8, 1}, {U16, 2}, {I16, 2}, {U32, 4}, {I32, 4}, {F32, 4},
        {BOOL, 1}, {U64, 8}, {I64, 8}, {F64, 8}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char key[] = "key ?";
        key[4] = (char)('a' + i);
        put_entry(key, all[i].type);
        put("\1\0\0\0\0\0\0\0", all[i].width);
    }
}

static void put_texts(void)
{
    put_entry("text", TEXT);
    put_u64(11);
    put("a.width is ", 11);
    put_array("texts", TEXT, 3);
    for (uint64_t n = 0; n < 3; n++) {
        put_u64(n);
        put("xy", n);
    }
    put_array("numbers", U16, 5);
    put("0123456789", 10);
    put_array("nothing", F64, 0);
}

static void well_formed(void)
{
    begin(1);
    put_wanted(64);
    expect("the only entry", LLL_OK, 64);
    begin(12);
    put_numbers();
    put_wanted(0x80000001);
    expect("behind numbers of each type", LLL_OK, 0x80000001);
    begin(5);
    put_texts();
    put_wanted(7);
    expect("behind texts and arrays", LLL_OK, 7);
    put("rubbish", 7);
    made[16] = 200;
    expect("nothing behind it matters", LLL_OK, 7);
    begin(0);
    expect("no entries", LLL_ERR_NOT_FOUND, 0);
    begin(4);
    put_texts();
    expect("not among the entries", LLL_ERR_NOT_FOUND, 0);
    put_wanted(7);
    expect("behind the last entry", LLL_ERR_NOT_FOUND, 0);
}

static void nearly(void)
{
    static const char *const keys[] = {"a.widt", "a.width2", "A.width", ""};
    begin(5);
    for (int i = 0; i < 4; i++) {
        put_entry(keys[i], U32);
        put_u32(9);
    }
    put_u64(9);
    put("a.width\0!", 9);
    put_u32(U32);
    put_u32(9);
    expect("keys that are nearly right", LLL_ERR_NOT_FOUND, 0);
    begin(1);
    put_entry("a.width", U64);
    put_u64(64);
    expect("the key with another type", LLL_ERR_FORMAT, 0);
    begin(1);
    put_entry("a.width", F32);
    put_u32(64);
    expect("even one as wide", LLL_ERR_FORMAT, 0);
    made[4] = 4;
    expect("version 4", LLL_ERR_UNSUPPORTED, 0);
    made[4] = 3;
    made[3] = 'G';
    expect("not GGUF at all", LLL_ERR_FORMAT, 0);
    begin(2);
    put_entry("strange", 13);
    put_u64(0);
    put_wanted(1);
    expect("a type 13", LLL_ERR_FORMAT, 0);
    begin(2);
    put_array("strange", 13, 0);
    put_wanted(1);
    expect("an array of type 13", LLL_ERR_FORMAT, 0);
    begin(2);
    put_array("deep", ARRAY, 0);
    put_wanted(1);
    expect("an array of arrays", LLL_ERR_UNSUPPORTED, 0);
}

static void cut_off(void)
{
    begin(16);
    put_numbers();
    put_texts();
    put_wanted(64);
    for (size_t n = 0; n < n_made; n++) {
        uint32_t value;
        lll_status status = ask(n, &value);
        if (status != LLL_ERR_FORMAT || value != UNTOUCHED) {
            exercise_case(false, "cut off anywhere", "after %zu of %zu "
                          "bytes: expected LLL_ERR_FORMAT, got %s%s", n,
                          n_made, name_of(status), value != UNTOUCHED
                          ? ", and *value was changed" : "");
            return;
        }
    }
    exercise_case(true, "cut off anywhere", " ");
}

static void announced(void)
{
    begin(UINT64_MAX);
    put_wanted(64);
    expect("entries without end", LLL_OK, 64);
    begin(UINT64_MAX);
    put_texts();
    expect("and none of them is it", LLL_ERR_FORMAT, 0);
    begin(2);
    put_entry("long", TEXT);
    put_u64(UINT64_MAX - n_made - 7);       // would end at byte 0
    put_wanted(1);
    expect("a text of nearly 2^64 bytes", LLL_ERR_FORMAT, 0);
    begin(2);
    put_u64(UINT64_MAX - 40);
    put_wanted(1);
    expect("a key of nearly 2^64 bytes", LLL_ERR_FORMAT, 0);
    begin(2);
    put_array("wide", U32, (uint64_t)1 << 62);
    put_wanted(1);
    expect("2^62 numbers of 4 bytes", LLL_ERR_FORMAT, 0);
    begin(2);
    put_array("wide", F64, ((uint64_t)1 << 61) + 1);
    put_wanted(1);
    put_wanted(1);
    expect("2^61 numbers of 8, and one", LLL_ERR_FORMAT, 0);
    begin(2);
    put_array("many", TEXT, (uint64_t)1 << 63);
    put_wanted(1);
    expect("2^63 texts", LLL_ERR_FORMAT, 0);
}

int main(void)
{
    well_formed();
    nearly();
    cut_off();
    announced();
    return exercise_end();
}
