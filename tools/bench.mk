# Speed, measured side by side.
#
#   make bench             decode and prefill, beside llama-cpp-python
#   make bench BENCH="--rounds 9 --model FILE"    other settings
#   make bench BENCH="--depth 4096 --caches f16 q8_0"    after a long text
#   make bench-tokenizer   encoding, beside the tokenizers package
#   make compare-tokenizers   the same ids as llama-cpp-python's
#   make compare-encoders  errors of stored weights, beside ggml's

BENCH ?=
.PHONY: bench bench-tokenizer compare-tokenizers compare-encoders
bench: chapter-08
	@test -x $(PYTHON) || sh tools/setup
	@$(PYTHON) tools/bench.py $(BENCH)
bench-tokenizer: setup smollm2
	@$(PYTHON) tools/bench_tokenizer.py $(BENCH)
compare-tokenizers: setup
	@$(PYTHON) tools/compare_tokenizers.py
compare-encoders: setup smollm2 chapter-07
	@$(PYTHON) tools/compare_encoders.py
