#ifndef COMMON_QUANT_FIT_H
#define COMMON_QUANT_FIT_H

#include <stdint.h>

// The search for a scale and a minimum: which straight line
// value = scale * code + minimum comes closest to some numbers when the codes
// are whole and few? Plain arrays in, plain numbers out; how a type packs
// them is the business of quant_encode.h. Taught in chapter 7.

enum { FIT_MAX = 256 };         // numbers that are fitted together at most

// @begin fit-span
// What a minimum may be.
typedef enum {
    FIT_FREE,                   // anything: Q4_1, Q5_1
    FIT_BELOW_ZERO,             // zero or less: the K types store its size
    FIT_TIED                    // -zero * scale: codes with a sign, shifted
                                // so that the lowest is 0
} fit_minimum;

// Numbers that share a scale.
typedef struct {
    const float *values;        // [n], finite
    const float *weights;       // [n]: how much each one's error counts
    int n;                      // 1..FIT_MAX
    int top;                    // codes are 0..top
    fit_minimum minimum;
    int zero;                   // FIT_TIED: the code that stands for 0
} fit_span;

typedef struct {
    float scale, minimum;
    float cost;                 // weighted sum of the squared errors
} fit_line;
// @end fit-span

// Give each number the nearest code on a line, and return what it costs.
float fit_codes(const fit_span *s, float scale, float minimum,
                uint8_t *codes);

// The best line that the search finds: scale 0 where nothing is left to be
// said, or numbers are too small for any F16 scale. Numbers so large that
// their squares are infinite get the line that reaches from end to end.
// codes   [n], those of the line that is returned
fit_line fit_search(const fit_span *s, uint8_t *codes);

#endif
