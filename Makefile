# Llama, Line by Line
#
#   make run          build, fetch a small model once, and let it answer
#   make test         set up what the tests need, and run all of them
#   make run QUESTION="Why do birds sing?"   ask another question
#   make chapter-05   build one chapter's program, ./chapter-05/run
#   make clean        remove what was built, keep models and your work/
#   make help         every target
#
# Needs a C compiler and GNU make to build; chapter 2, which reads JSON, needs
# jansson too, and installs it on Debian and Ubuntu where it may.

CC      ?= cc
OPT     ?= -O2
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wstrict-prototypes
CFLAGS  ?=
BASE    := -std=c11 -D_POSIX_C_SOURCE=200809L -D_DARWIN_C_SOURCE -I. \
           -ffp-contract=off -g $(OPT) $(WARN) $(CFLAGS)
LDLIBS  := -lm -lpthread

# `make SANITIZE=1 ...` builds everything again under build/sanitize.
ifdef SANITIZE
OUT     := build/sanitize
BASE    += -fsanitize=address,undefined -fno-sanitize-recover=all \
           -fno-omit-frame-pointer
LINK    := -fsanitize=address,undefined
else
OUT     := build
LINK    :=
endif

# What the heads of the makefiles say about their targets, one line each.
.DEFAULT_GOAL := help
.PHONY: help
help:
	@awk '/^#   make / { sub(/^#   /, ""); split($$0, half, /  +/); \
	    if (!seen[half[1]]++) printf "%-27s %s\n", half[1], half[2] }' \
	    Makefile tools/*.mk

.PHONY: clean
clean:
	rm -rf build chapter-[0-9][0-9]

include tools/modules.mk

# Build, fetch SmolLM2 once, and ask it something. Without a network the tiny
# model of this repository runs instead: it has words, but little sense. A
# model this small answers best without the system prompt that its file
# suggests, with little chance, and with some distaste for repeating itself;
# the seed makes it say the same each time.
TALK     := --chat -sys '' --temp 0.2 --top-p 0.9 --repeat-penalty 1.1 \
            -s 1 -n 400
QUESTION ?= Why is the sky blue?
MODEL    ?= data/models/SmolLM2-135M-Instruct.Q4_1.gguf
.PHONY: run
run: chapter-08
	@test -f '$(MODEL)' || $(MAKE) -s smollm2 || true
	@if test -f '$(MODEL)'; then echo "> $$ASK" && \
	    ./chapter-08/run -m '$(MODEL)' $(TALK) -p "$$ASK"; \
	else echo "Without $(MODEL) the tiny model continues a text:" && \
	    ./chapter-08/run --temp 0 -n 60; fi
run: export ASK := $(value QUESTION)
include tools/test.mk
include tools/install.mk
include tools/fetch.mk
include tools/exercises.mk
include tools/fuzz.mk
include tools/bench.mk
-include tools/book.mk
-include tools/web.mk
