#include <stdlib.h>
#include <string.h>

#include "chapters/03-gguf/exercises/03-2-closest/closest.h"
#include "tools/exercise.h"

enum { MOST = 8 };

static gguf_tensor tensors[MOST];
static gguf_file file = {.path = "a.gguf", .tensors = tensors};

// A file of these names, each alone in memory and without a zero behind it.
static void make(const char *const *names, size_t n)
{
    for (size_t i = 0; i < MOST; i++) {
        free((char *)(uintptr_t)tensors[i].name.bytes);
        tensors[i].name = (gguf_string){NULL, 0};
    }
    for (size_t i = 0; i < n; i++) {
        size_t n_bytes = strlen(names[i]);
        char *bytes = malloc(n_bytes + (n_bytes == 0));
        tensors[i].name = (gguf_string){memcpy(bytes, names[i], n_bytes),
                                        n_bytes};
    }
    file.n_tensors = n;
}

static void expect(const char *name, int wanted)
{
    const gguf_tensor *found = closest(&file, name);
    long got = found == NULL ? -1 : found - tensors;
    exercise_case(got == wanted, *name != '\0' ? name : "no name at all",
                  "expected tensor %d, got %ld (-1 is NULL)", wanted,
                  got);
}

int main(void)
{
    static const char *const names[] = {
        "token_embd.weight", "blk.0.attn_q.weight", "blk.0.attn_k.weight",
        "blk.1.attn_q.weight", "output.weight", "norm", "",
    };
    make(names, 0);
    expect("norm", -1);
    make(names, 7);
    expect("output.weight", 4);
    expect("output.wieght", 4);
    expect("token_embed.weight", 0);
    expect("blk.0.attn_v.weight", 1);       // q and k are equally far
    expect("blk.1.attn_v.weight", 3);
    expect("blk.7.attn_q.weight", 1);
    expect("nurm", 5);
    expect("narn", -1);
    expect("nxxx", -1);
    expect("nor", 5);
    expect("layers.0.feed_forward.w1", -1);
    expect("x", -1);
    expect("", 6);
    expect("a name that is so long that no distance is computed for it", -1);
    make(names, 4);
    expect("output.weight", -1);
    make(NULL, 0);
    return exercise_end();
}
