// For a set that has only products of its own: all the rest is what another
// set does, KERNELS_OTHERS.

extern const kernels KERNELS_OTHERS;

static void tile_f32(const kernel_tile *tile)
{
    KERNELS_OTHERS.tile_f32(tile);
}

static void norm(float *out, const float *x, const float *weight, int n,
                 float eps)
{
    KERNELS_OTHERS.norm(out, x, weight, n, eps);
}

static void add(float *to, const float *from, int n)
{
    KERNELS_OTHERS.add(to, from, n);
}

static void swiglu(float *gate, const float *up, int n)
{
    KERNELS_OTHERS.swiglu(gate, up, n);
}

static void attend(const attend_span *span)
{
    KERNELS_OTHERS.attend(span);
}

static void merge(attend_state *state, float maximum, float total,
                  const float *out, int head_dim)
{
    KERNELS_OTHERS.merge(state, maximum, total, out, head_dim);
}

static void finish(attend_state *state, int head_dim)
{
    KERNELS_OTHERS.finish(state, head_dim);
}

static void encode(dtype type, const float *numbers, void *row, int n)
{
    KERNELS_OTHERS.encode(type, numbers, row, n);
}

static double spin_q8(int rounds, uint32_t *result)
{
    return KERNELS_OTHERS.spin_q8(rounds, result);
}

static double spin_f32(int rounds, float *result)
{
    return KERNELS_OTHERS.spin_f32(rounds, result);
}
