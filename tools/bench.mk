# Speed, measured side by side.
#
#   make bench             decode and prefill, beside llama-cpp-python
#   make bench BENCH="--rounds 9 --model FILE"    other settings

BENCH ?=
.PHONY: bench
bench: chapter-08
	@test -x $(PYTHON) || sh tools/setup
	@$(PYTHON) tools/bench.py $(BENCH)
