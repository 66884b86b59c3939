#ifndef CHAPTER_05_SCALING_H
#define CHAPTER_05_SCALING_H

// Ways to make a model read further than it was trained. Each of them is a
// row of factors: by how much each pair turns slower than it did.

// @begin scaling-header
typedef struct {
    int rope_dim;
    const double *frequencies;  // [rope_dim / 2], as trained
    double context;             // positions of the training, > 0
    double stretch;             // how many times as far, >= 1
} scaling;

typedef struct {
    const char *name;
    // factors   [rope_dim / 2], what rope_frequencies() divides by
    void (*factors)(float *factors, const scaling *s);
    // By how much all scores are multiplied besides.
    double (*score_factor)(const scaling *s);
} scaling_method;

enum { SCALING_METHODS = 4 };
extern const scaling_method scaling_methods[SCALING_METHODS];
// @end scaling-header

#endif
