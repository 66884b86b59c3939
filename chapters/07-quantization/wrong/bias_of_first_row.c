// replaces add_bias() in common/linear.c; caught by tests/test_linear.c
//
// The bias of one token, and a prompt has many. While a text is written there
// is one token at a time, and everything is right.

// @begin wrong-bias
static void add_bias(float *y, const float *bias, int n_rows, int n)
{
    (void)n_rows;
    for (int i = 0; i < n; i++)
        y[i] += bias[i];
}
// @end wrong-bias
