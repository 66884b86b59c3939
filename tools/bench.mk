# Speed, measured side by side.
#
#   make bench             our engine beside llama-cpp-python, seven models
#   make bench MODELS=FILE ROUNDS=9 THREADS=4   of one's own, other settings
#   make bench PEER_ROUNDS=2   the others in two of the rounds alone
#   make bench PEER=/path/to/llama-bench        beside another engine
#   make bench-diff A=FILE B=FILE   what changed between two of benchmarks/
#   make bench-tokenizer   encoding, beside the tokenizers package
#   make compare-tokenizers   the same ids as llama-cpp-python's
#   make compare-encoders  errors of stored weights, beside ggml's

BENCH   ?=
THREADS ?= 2
ROUNDS  ?= 5
PEER_ROUNDS ?= $(ROUNDS)

# llama-cpp-python compiles for minutes, so it has an environment of its own,
# which nothing else asks for. PEER_PYTHON= measures without it.
PEER_PACKAGE := llama-cpp-python==0.3.36
PEER_PYTHON  ?= .venv-bench/bin/python
.venv-bench/bin/python:
	@echo "installing $(PEER_PACKAGE) in .venv-bench: some minutes" >&2
	@python3 -m venv .venv-bench && .venv-bench/bin/pip install -q \
	    --disable-pip-version-check $(PEER_PACKAGE) \
	    || { rm -rf .venv-bench; exit 1; }

.PHONY: bench bench-diff bench-tokenizer compare-tokenizers compare-encoders
bench: chapter-04 chapter-07 chapter-08 chapter-13 $(PEER_PYTHON)
	@test -x $(PYTHON) || sh tools/setup
	@$(PYTHON) tools/bench.py $(if $(MODELS),--models $(MODELS)) \
	    --threads $(THREADS) --rounds $(ROUNDS) --peer-rounds $(PEER_ROUNDS) \
	    $(if $(PEER_PYTHON),--peer-python $(PEER_PYTHON)) \
	    $(if $(PEER),--peer $(PEER)) $(BENCH)
bench-diff:
	@python3 tools/bench_table.py $(A) $(B)
bench-tokenizer: setup smollm2
	@$(PYTHON) tools/bench_tokenizer.py $(BENCH)
compare-tokenizers: setup
	@$(PYTHON) tools/compare_tokenizers.py
compare-encoders: setup smollm2 chapter-07
	@$(PYTHON) tools/compare_encoders.py
