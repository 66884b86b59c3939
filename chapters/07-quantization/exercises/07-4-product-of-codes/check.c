#include <math.h>
#include <stddef.h>

#include "chapters/07-quantization/exercises/07-4-product-of-codes/dot.h"
#include "tools/exercise.h"

enum { MOST = 18 };

// What stands in the blocks, by a rule: codes of block b, number i.
typedef struct {
    float scale, minimum, x_scale;
    int (*code)(int i), (*k)(int i);
} rule;

static int always(int i, int n) { return i >= 0 ? n : 0; }
static int zero(int i) { return always(i, 0); }
static int ones(int i) { return always(i, 1); }
static int largest(int i) { return always(i, 15); }
static int highest(int i) { return always(i, 127); }
static int lowest(int i) { return always(i, -128); }
static int first(int i) { return i == 0; }
static int last(int i) { return 5 * (i == 31); }
static int rising(int i) { return i % 16; }
static int scattered(int i) { return (i * 29 + i / 7) % 16; }
static int signs(int i) { return (i * 83) % 255 - 127; }

static void expect(const char *name, rule r, int n_blocks)
{
    q4_1_block weights[MOST];
    q8_0_block x[MOST];
    float x_sums[MOST];
    double wanted = 0, size = 0;
    for (int b = 0; b < n_blocks; b++) {
        float grow = 1 + 0.25f * (float)b;      // exact as a half
        weights[b].scale = f32_to_f16(r.scale * grow);
        weights[b].minimum = f32_to_f16(r.minimum / grow);
        x[b].scale = f32_to_f16(r.x_scale);
        int sum = 0;
        for (int i = 0; i < 32; i++) {
            x[b].code[i] = (int8_t)r.k(i + b);
            sum += x[b].code[i];
        }
        for (int j = 0; j < 16; j++)
            weights[b].nibbles[j] = (uint8_t)(r.code(j)
                                              | r.code(j + 16) << 4);
        x_sums[b] = f16_to_f32(x[b].scale) * (float)sum;
        for (int i = 0; i < 32; i++) {
            double w = (double)f16_to_f32(weights[b].scale) * r.code(i)
                       + (double)f16_to_f32(weights[b].minimum);
            double v = (double)f16_to_f32(x[b].scale) * x[b].code[i];
            wanted += w * v;
            size += fabs(w * v);
        }
    }
    double got = (double)dot_codes(weights, x, x_sums, n_blocks);
    exercise_case(fabs(got - wanted) <= 1e-6 * size, name,
                  "expected %.6g, got %.6g", wanted, got);
}

int main(void)
{
    expect("nothing but zeros", (rule){0, 0, 0, zero, zero}, 1);
    expect("one number", (rule){0.5f, 0, 2, first, first}, 1);
    expect("the last number", (rule){1, 0, 1, last, ones}, 1);
    expect("which number is which", (rule){1, 0, 1, scattered, signs}, 1);
    expect("all codes alike", (rule){1, 0, 1, rising, ones}, 1);
    expect("a minimum alone", (rule){0, -2, 0.5f, scattered, signs}, 1);
    expect("scale and minimum", (rule){0.25f, -1.75f, 0.125f, scattered,
                                       signs}, 1);
    expect("the largest codes", (rule){1, 0, 1, largest, highest}, 1);
    expect("the lowest activations", (rule){1, -4, 1, largest, lowest}, 1);
    expect("a row of 576", (rule){0.02f, -0.125f, 0.03f, scattered, signs},
           18);
    return exercise_end();
}
