#include <math.h>

#include "tools/exercise.h"

typedef struct { double x, y; } pair;

static const char *const names[] = {"a", "b", "c"};
static const pair table[] = {{1, -1}, {-1, 1}, {1, 1}};

static pair normalised(pair p)
{
    double size = sqrt((p.x * p.x + p.y * p.y) / 2);
    return (pair){p.x / size, p.y / size};
}

// What the model of two numbers computes for a token alone.
typedef struct {
    pair attended, out;
    double product, logits[3], sure;
    int best;
} pass;

static pass forward(int token, double output, double gate)
{
    pass p = {.best = 0};
    pair v = normalised(table[token]);
    p.attended = (pair){table[token].x + output * v.y,
                        table[token].y + output * v.x};
    pair n = normalised(p.attended);
    double g = gate * n.y;
    p.product = g / (1 + exp(-g)) * n.x;
    p.out = normalised((pair){p.attended.x + p.product,
                              p.attended.y - p.product});
    double total = 0;
    for (int i = 0; i < 3; i++) {
        p.logits[i] = p.out.x * table[i].x + p.out.y * table[i].y;
        if (p.logits[i] > p.logits[p.best])
            p.best = i;
    }
    for (int i = 0; i < 3; i++)
        total += exp(p.logits[i] - p.logits[p.best]);
    p.sure = 1 / total;
    return p;
}

int main(int argc, char **argv)
{
    exercise_sheet(argc, argv);
    int output = (int)exercise_pick(2, 6);
    int gate = (int)exercise_pick(1, 4);
    pass b = forward(1, output, gate), c = forward(2, output, gate);
    exercise_number("b_attended", b.attended.x, 1e-3, "The output matrix of "
                    "attention multiplies by %d, the gate is the second "
                    "number times %d. b comes in. What is the first number "
                    "of the stream after attention?", output, gate);
    exercise_number("b_product", b.product, .01, "What is the product of "
                    "gate (after SiLU) and up? (Two digits are enough, as "
                    "in all of these.)");
    exercise_choice("b_next", names[b.best], "a, b, c", "Which token "
                    "follows?");
    exercise_number("b_sure", b.sure, .01, "With what probability?");
    exercise_number("c_attended", c.attended.x, 1e-3, "c comes in. What is "
                    "the first number of the stream after attention?");
    exercise_number("c_product", c.product, .01, "What is the product of "
                    "gate and up?");
    exercise_number("c_logit", c.logits[0], .02, "What is then the logit of "
                    "a?");
    exercise_choice("c_next", names[c.best], "a, b, c", "Which token "
                    "follows?");
    exercise_whole("looked_at", 2, "b comes after a, not alone. Of how many "
                   "values does attention make an average for it?");
    exercise_choice("unchanged", "the embedding", "the embedding, "
                    "attention, the feed-forward, the logits", "Which of "
                    "these is for b as it was when it came alone?");
    return exercise_end();
}
