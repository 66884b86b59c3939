"""Expected values of chapter 8: every step of one block of data/tiny.gguf,
and the logits of the whole model."""

import expected
from llama import Llama

STEPS = ("attn_norm q k v q_rope k_rope attention attn_output attn_residual"
         " ffn_norm ffn_gate ffn_up ffn_act ffn_down ffn_residual").split()
BLOCK = 1
# "\nThe model reads", as far as the tiny vocabulary goes.
WORDS = "Ċ The Ġmodel Ġread s".split()


def make():
    model = Llama(expected.ROOT / "data/tiny.gguf")
    tokens = model.key("tokenizer.ggml.tokens")
    ids = [i for word in WORDS for i in spell(word, tokens)]
    seen = {}
    logits = model.forward(ids, observe=seen.__setitem__)

    block = expected.Ref(__file__, "every step of one block of"
                                   " data/tiny.gguf for the tokens `ids`")
    block.add("ids", ids)
    block.add("embedding", seen["embedding"])
    for n in range(model.n_layers):
        if n != BLOCK:
            block.add(f"blk.{n}.ffn_residual", seen[f"blk.{n}.ffn_residual"])
            continue
        for step in STEPS:
            block.add(f"blk.{n}.{step}", seen[f"blk.{n}.{step}"])
    yield "08-llama/expected/block.ref", block

    whole = expected.Ref(__file__, "logits of data/tiny.gguf for `ids`, at"
                                   " every token")
    whole.add("ids", ids)
    whole.add("final_norm", seen["final_norm"])
    whole.add("logits", logits)
    yield "08-llama/expected/tiny.ref", whole


def spell(word, tokens):
    """The word as one token where there is one, letter by letter if not."""
    return [tokens.index(part) for part in
            ([word] if word in tokens else list(word))]


if __name__ == "__main__":
    expected.main(__doc__, make)
