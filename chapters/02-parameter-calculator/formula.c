// The count as algebra: letters, the model's numbers, the result.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chapters/02-parameter-calculator/calculator.h"
#include "common/terminal.h"

// @begin formula-terms
// A part is a sum of terms, a term a number times some letters: {3, "df"} is
// 3 d ff. What a kind of model does not have gets the factor 0.
typedef struct { int factor; const char *letters; } term;
enum { MAX_TERMS = 6 };
typedef struct {
    const char *name;
    term terms[MAX_TERMS];
} part;

static const struct letter { char letter; const char *name, *meaning; }
letters[] = {
    {'V', "V", "tokens"}, {'T', "T", "positions"}, {'L', "L", "layers"},
    {'d', "d", "width"}, {'q', "q", "query heads x their width"},
    {'k', "kv", "key-value heads x their width"},
    {'f', "ff", "feed-forward width"}, {'r', "r", "pairs that are turned"},
};

static uint64_t letter_value(const model_config *c, char letter)
{
    switch (letter) {
    case 'V': return (uint64_t)c->vocab_size;
    case 'T': return (uint64_t)c->context_length;
    case 'L': return (uint64_t)c->n_layers;
    case 'd': return (uint64_t)c->d_model;
    case 'q': return (uint64_t)c->n_heads * (uint64_t)c->head_dim;
    case 'k': return (uint64_t)c->n_kv_heads * (uint64_t)c->head_dim;
    case 'f': return (uint64_t)c->d_ff;
    default:  return (uint64_t)c->rope_dim / 2;
    }
}
// @end formula-terms

// @begin formula-parts
enum { N_PARTS = 8, FIRST_OF_LAYER = 2, LAST_OF_LAYER = 4 };

// Every kind of model is one choice of factors.
static void choose_factors(const model_config *c, part parts[N_PARTS])
{
    int n_up = c->feed_forward == FEED_FORWARD_GATED ? 2 : 1;
    int norm = c->norm_bias ? 2 : 1;
    const part all[N_PARTS] = {
        {"embeddings", {{1, "Vd"}}},
        {"positions", {{c->position == POSITION_LEARNED, "Td"}}},
        {"attention", {{2, "dq"}, {2, "dk"}, {c->qkv_bias, "q"},
                       {2 * c->qkv_bias, "k"}, {c->attn_out_bias, "d"}}},
        {"feed-forward", {{n_up + 1, "df"}, {n_up * c->ffn_bias, "f"},
                          {c->ffn_bias, "d"}}},
        {"norms", {{(c->shared_norm ? 1 : 2) * norm, "d"}}},
        {"final norm", {{norm, "d"}}},
        {"output head", {{!c->tied_output, "Vd"}}},
        {"rotation factors", {{c->rope_factors, "r"}}},
    };
    memcpy(parts, all, sizeof all);
}
// @end formula-parts

// @begin formula-print
// A sum in letters or in numbers; returns what it comes to.
static uint64_t print_sum(const model_config *c, const part *p, bool numbers)
{
    uint64_t sum = 0;
    int n_printed = 0;
    for (int i = 0; i < MAX_TERMS && p->terms[i].letters != NULL; i++) {
        uint64_t product = (uint64_t)p->terms[i].factor;
        if (product == 0)
            continue;
        printf("%s", n_printed++ > 0 ? " + " : "");
        bool dot = product != 1;
        if (dot)
            printf("%" PRIu64, product);
        for (const char *l = p->terms[i].letters; *l != '\0'; l++) {
            uint64_t value = letter_value(c, *l);
            const struct letter *known = letters;
            while (known->letter != *l)
                known++;
            product *= value;
            if (numbers)
                printf("%s%" PRIu64, dot ? " x " : "", value);
            else
                printf("%s%s", dot ? " " : "", known->name);
            dot = true;
        }
        sum += product;
    }
    return sum;
}
// @end formula-print

// @begin formula-part
// Name, letters, numbers, result: a line each, so that all of it fits.
static uint64_t print_part(const model_config *c, const part *p)
{
    char text[32];
    printf("%-17s = ", p->name);
    if (p->terms[0].factor == 0) {
        printf("0\n");
        return 0;
    }
    print_sum(c, p, false);
    printf("\n%-17s = ", "");
    uint64_t sum = print_sum(c, p, true);
    number_text(sum, text, sizeof text);
    printf("\n%-17s = %s\n", "", text);
    return sum;
}
// @end formula-part

// @begin formula-letters
static void print_letters(const model_config *c)
{
    char text[32];
    terminal_text(stdout, c->name, strlen(c->name));
    printf("%s%s\n\n", c->name[0] == '\0' ? "" : ", ", c->architecture);
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (letters[i].letter == 'r' && !c->rope_factors)
            continue;
        number_text(letter_value(c, letters[i].letter), text, sizeof text);
        printf("%-3s %-30s %12s\n", letters[i].name, letters[i].meaning,
               text);
    }
    printf("\n");
}
// @end formula-letters

// @begin formula-all
// Nothing is asked of config_count(): two ways to the same number, which a
// test compares.
void print_formula(const model_config *c)
{
    part parts[N_PARTS];
    char text[32];
    uint64_t layer = 0, total = 0;
    print_letters(c);
    choose_factors(c, parts);
    for (int i = 0; i < N_PARTS; i++) {
        if (i == N_PARTS - 1 && !c->rope_factors)
            break;
        uint64_t sum = print_part(c, &parts[i]);
        if (i < FIRST_OF_LAYER || i > LAST_OF_LAYER)
            total += sum;
        else
            layer += sum;
        if (i != LAST_OF_LAYER)
            continue;
        total += layer * (uint64_t)c->n_layers;
        number_text(layer * (uint64_t)c->n_layers, text, sizeof text);
        printf("%-17s = L (attention + feed-forward + norms)\n%-17s = %d x %"
               PRIu64 "\n%-17s = %s\n", "all layers", "", c->n_layers,
               layer, "", text);
    }
    number_text(total, text, sizeof text);
    printf("%-17s = embeddings + positions + all layers + final norm + head"
           "%s\n%-17s = %s\n", "total",
           c->rope_factors ? "\n                    + rotation factors" : "",
           "", text);
}
// @end formula-all
