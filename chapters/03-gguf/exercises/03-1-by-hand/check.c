#include <inttypes.h>
#include <string.h>

#include "common/gguf.h"
#include "common/gguf_find.h"
#include "tools/exercise.h"

enum { HEADER = 24, ALIGNMENT = 32 };

static int64_t padded(int64_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void ask_layout(void)
{
    static const char *const keys[] = {"a.b", "b.depth", "c.width_of_it"};
    static const char *const names[] = {"t", "norm", "output.weight"};
    static const gguf_type types[] = {GGUF_U8, GGUF_U16, GGUF_U32, GGUF_U64};
    const char *key = keys[exercise_pick(0, 2)];
    const char *name = names[exercise_pick(0, 2)];
    gguf_type type = types[exercise_pick(0, 3)];
    int64_t rows = exercise_pick(2, 6), columns = 2 * exercise_pick(2, 9);
    int64_t second = exercise_pick(3, 9);
    int64_t entry = 8 + (int64_t)strlen(key) + 4
                    + (int64_t)gguf_type_bytes(type);
    int64_t end = HEADER + entry
                  + 8 + (int64_t)strlen(name) + 4 + 2 * 8 + 4 + 8
                  + 8 + 1 + 4 + 8 + 4 + 8;
    int64_t offset = padded(4 * rows * columns);

    exercise_whole("entry", entry,
                   "A file has one entry, %s, a number of type %s. How many "
                   "bytes does the entry take?", key, gguf_type_name(type));
    exercise_whole("lists", end,
                   "Behind it stand two tensors of F32 numbers: \"%s\" with "
                   "the dimensions %" PRId64 " and %" PRId64 ", and \"z\" "
                   "with the one dimension %" PRId64 ". At which byte of the "
                   "file do the lists end?", name, columns, rows, second);
    exercise_whole("data", padded(end),
                   "The alignment is 32. At which byte do the data begin?");
    exercise_whole("offset", offset,
                   "Which offset stands in the entry of \"z\"?");
    exercise_whole("at", padded(end) + offset + 4 * (second - 1),
                   "At which byte of the file is the last number of \"z\"?");
}

static void ask_bytes(void)
{
    unsigned low = (unsigned)exercise_pick(1, 250);
    unsigned high = (unsigned)exercise_pick(1, 3);
    unsigned version = (unsigned)exercise_pick(2, 9);
    exercise_whole("number", low + 256 * high,
                   "In hexadecimal, the four bytes of a U32 are %02x %02x 00 "
                   "00. Which number is that?", low, high);
    exercise_whole("swapped", (int64_t)version << 24,
                   "And which one is %u, written by a machine with the other "
                   "order of bytes, for ours?", version);
}

static void ask_lie(void)
{
    int64_t n_bytes = 100 * exercise_pick(2, 9);
    int64_t at = n_bytes - exercise_pick(10, 90);
    int64_t sum = n_bytes - exercise_pick(100, 199);
    bool small = exercise_pick(0, 1) == 1;
    int64_t k = n_bytes - at + (small ? -1 : 1) * exercise_pick(1, 9);
    exercise_whole("remain", n_bytes - at,
                   "At byte %" PRId64 " of a file of %" PRId64 " a text "
                   "begins. How many bytes may it have at most?", at,
                   n_bytes);
    exercise_choice("honest", small ? "yes" : "no", "yes, no",
                    "It announces %" PRId64 " bytes. Does it fit?", k);
    exercise_whole("sum", sum,
                   "Another in its place announces 2^64 - %" PRId64 ". Which "
                   "number is %" PRId64 " plus that, in 64 bits?", at - sum,
                   at);
    exercise_choice("accepted", "yes", "yes, no",
                    "Would that one be accepted by a reader that compares "
                    "this sum with %" PRId64 "?", n_bytes);
    exercise_choice("compared", "no", "yes, no",
                    "And by one that compares what is announced with what "
                    "remains?");
}

int main(int argc, char **argv)
{
    exercise_sheet(argc, argv);
    ask_layout();
    ask_bytes();
    ask_lie();
    return exercise_end();
}
