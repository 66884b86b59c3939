#ifndef COMMON_NORM_H
#define COMMON_NORM_H

// @begin norm-header
// RMSNorm: divide a vector by its own size, then scale each channel.
//
//     out[i] = x[i] * weight[i] / sqrt(mean(x^2) + eps)
//
// x, weight, out   [n] each; out may be x
// eps              > 0: keeps a vector of zeros from dividing by zero
// The squares go to sixteen sums (number i to sum i mod 16), which are added
// pairwise, so that every machine gets the same bits.
// Taught in chapter 5. Source: Zhang and Sennrich 2019, equation 4.
void rmsnorm(float *out, const float *x, const float *weight, int n,
             float eps);
// @end norm-header

#endif
