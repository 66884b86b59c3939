#ifndef COMMON_ROPE_H
#define COMMON_ROPE_H

// Rotary position embedding: turn each pair of numbers of a query or key by
// an angle that grows with the token's position. Taught in chapter 5.
// Source: Su et al. 2021, equation 34; Llama 3's scaling arrives in the file
// as one factor for each frequency.

// @begin rope-header
// Angle per position of pair i, in radians:
//     frequencies[i] = theta^(-2i / rope_dim) / scale / factors[i]
//
// frequencies   [rope_dim / 2], in double: the angle grows with the
//               position, and only its remainder modulo 2 pi matters
// rope_dim      numbers of a head that are rotated, even
// theta         base, 10000 in the paper, > 0
// scale         1, or the context extension by "linear" scaling, > 0
// factors       [rope_dim / 2] from the tensor rope_freqs, or NULL for all 1
void rope_frequencies(double *frequencies, int rope_dim, double theta,
                      double scale, const float *factors);

// Cosines and sines of one position: table[2i] = cos(position *
// frequencies[i]), table[2i + 1] = sin(...). table is [rope_dim].
// One table serves all layers and heads of a token. A negative position
// turns back.
void rope_table(float *table, const double *frequencies, int rope_dim,
                int position);

// Turn the first rope_dim numbers of `head` in place, neighbours as pairs:
// (0, 1), (2, 3), ... GGUF files for Llama store queries and keys so.
void rope_rotate(float *head, const float *table, int rope_dim);

// The other pairing, (i, i + rope_dim / 2), as Hugging Face stores it.
void rope_rotate_halves(float *head, const float *table, int rope_dim);
// @end rope-header

#endif
