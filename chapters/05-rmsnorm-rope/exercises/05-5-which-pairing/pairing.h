// The question and the possible answers of exercise 05-5.
typedef enum { NEITHER, NEIGHBOURS, HALVES, EITHER } pairing;

// before, after   [rope_dim] one head, before and after RoPE; not changed
// table           [rope_dim] cosines and sines, see rope_table()
// rope_dim        even, at most 256
pairing which_pairing(const float *before, const float *after,
                      const float *table, int rope_dim);
