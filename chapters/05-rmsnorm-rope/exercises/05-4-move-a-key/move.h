// The question of exercise 05-4.

// head         [rope_dim] neighbours are pairs; what lies behind stays
// frequencies  [rope_dim / 2], see rope_frequencies(); not changed
// rope_dim     even, at most 256
// by           positions, negative to go back
void move_key(float *head, const double *frequencies, int rope_dim, int by);
