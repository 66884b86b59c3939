#include "chapters/02-parameter-calculator/exercises/02-5-fifth-row/row.h"

const model_family qwen2 = {
    .kinds = {.architecture = "qwen2", .n_layers = 24, .d_model = 896,
              .n_heads = 14, .n_kv_heads = 2, .d_ff = 4864,
              .vocab_size = 151936, .context_length = 131072,
              .norm = NORM_RMS, .position = POSITION_ROTARY,
              .feed_forward = FEED_FORWARD_GATED, .qkv_bias = true,
              .tied_output = true, .name = "Qwen2-0.5B", .rope_theta = 1e6,
              .rope_scale = 1, .norm_eps = 1e-6},
    .rope_fraction = 1, .hf_name = "qwen2", .hf_qkv_bias = true,
    .eps_key = "attention.layer_norm_rms_epsilon",
};
