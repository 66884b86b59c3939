"""Parameters of a model, counted again: every tensor by its shape, as the
papers and the first implementations of each family have it.

Nothing here knows a formula; the count is a sum over a list of tensors. That
list is also what the tests write into model files.

GPT-2: Radford et al. 2019. GPT-NeoX: Black et al. 2022. StableLM 2:
Bellagente et al. 2024. Llama: Touvron et al. 2023.
"""

from dataclasses import dataclass
from math import prod


@dataclass
class Model:
    family: str         # gpt2, gptneox, stablelm, llama
    layers: int
    width: int
    heads: int
    kv_heads: int
    head_dim: int
    ff: int
    vocabulary: int
    context: int
    tied: bool
    bias: bool          # of all parts, where the family has them
    parallel: bool = False

    @property
    def layer_norms(self):
        return self.family != "llama"

    @property
    def gated(self):
        return self.family in ("llama", "stablelm")


def norm(model, name):
    yield f"{name}.weight", (model.width,)
    # GPT-2 and GPT-NeoX without biases leave out those of the norms, too; a
    # StableLM always has them.
    if model.layer_norms and (model.bias or model.family == "stablelm"):
        yield f"{name}.bias", (model.width,)


def matrix(name, outputs, inputs, bias):
    yield f"{name}.weight", (outputs, inputs)
    if bias:
        yield f"{name}.bias", (outputs,)


def attention(model, block):
    queries = model.heads * model.head_dim
    keys = model.kv_heads * model.head_dim
    if model.family in ("gpt2", "gptneox"):
        yield from matrix(f"{block}.attn_qkv", queries + 2 * keys,
                          model.width, model.bias)
    else:
        for name, outputs in (("q", queries), ("k", keys), ("v", keys)):
            yield from matrix(f"{block}.attn_{name}", outputs, model.width,
                              model.bias)
    yield from matrix(f"{block}.attn_output", model.width, queries,
                      model.bias and not model.gated)


def feed_forward(model, block):
    bias = model.bias and not model.gated
    if model.gated:
        yield from matrix(f"{block}.ffn_gate", model.ff, model.width, bias)
    yield from matrix(f"{block}.ffn_up", model.ff, model.width, bias)
    yield from matrix(f"{block}.ffn_down", model.width, model.ff, bias)


def tensors(model):
    """Name, as GGUF has it, and shape, rows first, of every tensor."""
    yield "token_embd.weight", (model.vocabulary, model.width)
    if model.family == "gpt2":
        yield "position_embd.weight", (model.context, model.width)
    for layer in range(model.layers):
        block = f"blk.{layer}"
        yield from norm(model, f"{block}.attn_norm")
        yield from attention(model, block)
        # A parallel StableLM feeds both halves from one norm; a parallel
        # GPT-NeoX keeps two.
        if not (model.parallel and model.family == "stablelm"):
            yield from norm(model, f"{block}.ffn_norm")
        yield from feed_forward(model, block)
    yield from norm(model, "output_norm")
    if not model.tied:
        yield "output.weight", (model.vocabulary, model.width)


def count(model):
    return sum(prod(shape) for _, shape in tensors(model))
