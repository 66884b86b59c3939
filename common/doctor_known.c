// Published models, as their makers describe them in config.json.
#include "common/doctor.h"

// @begin doctor-known-table
static const doctor_model known[] = {
    {"tiny.gguf of this book", 3, 64, 4, 2, 160, 512, 512, 1e4, 1e-5},
    {"SmolLM-135M", 30, 576, 9, 3, 1536, 49152, 2048, 1e4, 1e-5},
    {"SmolLM2-135M", 30, 576, 9, 3, 1536, 49152, 8192, 1e5, 1e-5},
    {"SmolLM2-360M", 32, 960, 15, 5, 2560, 49152, 8192, 1e5, 1e-5},
    {"SmolLM2-1.7B", 24, 2048, 32, 32, 8192, 49152, 8192, 1.3e5, 1e-5},
    {"TinyLlama-1.1B", 22, 2048, 32, 4, 5632, 32000, 2048, 1e4, 1e-5},
    {"Llama 1 7B", 32, 4096, 32, 32, 11008, 32000, 2048, 1e4, 1e-6},
    {"Llama 2 7B", 32, 4096, 32, 32, 11008, 32000, 4096, 1e4, 1e-5},
    {"Llama 2 13B", 40, 5120, 40, 40, 13824, 32000, 4096, 1e4, 1e-5},
    {"Llama 2 70B", 80, 8192, 64, 8, 28672, 32000, 4096, 1e4, 1e-5},
    {"Llama 3 8B", 32, 4096, 32, 8, 14336, 128256, 8192, 5e5, 1e-5},
    {"Llama 3.1 8B", 32, 4096, 32, 8, 14336, 128256, 131072, 5e5, 1e-5},
    {"Llama 3 70B", 80, 8192, 64, 8, 28672, 128256, 8192, 5e5, 1e-5},
    {"Llama 3.1 70B", 80, 8192, 64, 8, 28672, 128256, 131072, 5e5, 1e-5},
    {"Llama 3.2 1B", 16, 2048, 32, 8, 8192, 128256, 131072, 5e5, 1e-5},
    {"Llama 3.2 3B", 28, 3072, 24, 8, 8192, 128256, 131072, 5e5, 1e-5},
    {"Mistral 7B v0.1", 32, 4096, 32, 8, 14336, 32000, 32768, 1e4, 1e-5},
    {"Mistral 7B v0.2", 32, 4096, 32, 8, 14336, 32000, 32768, 1e6, 1e-5},
    {"Mistral 7B v0.3", 32, 4096, 32, 8, 14336, 32768, 32768, 1e6, 1e-5},
};
// @end doctor-known-table

// @begin doctor-known-find
const doctor_model *doctor_known(const model_config *c,
                                 const doctor_model *after)
{
    const doctor_model *end = known + sizeof known / sizeof known[0];
    for (const doctor_model *m = after != NULL ? after + 1 : known; m < end;
         m++)
        if (m->n_layers == c->n_layers && m->d_model == c->d_model
            && m->n_heads == c->n_heads && m->n_kv_heads == c->n_kv_heads
            && m->d_ff == c->d_ff && m->vocab_size == c->vocab_size
            && m->context_length == c->context_length)
            return m;
    return NULL;
}
// @end doctor-known-find
