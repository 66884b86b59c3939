# Files that strangers made up, and a system that refuses.
#
#   make fuzz              any bytes at all, FUZZ_SECONDS=60 for each reader
#   make coverage          which lines of the GGUF modules no test has tried
#   make fuzz-coverage     how many lines the fuzzers have tried

# Any bytes at all: libFuzzer, which is part of clang, makes them up. It reads
# whatever reads a file, with files in memory in place of the disk's. What it
# finds worth keeping stays in $(OUT)/fuzz/corpus for the next time.
FUZZERS      := fuzz_gguf fuzz_tokenizer
FUZZ_CC      ?= $(or $(wildcard /opt/homebrew/opt/llvm/bin/clang \
                /usr/local/opt/llvm/bin/clang),clang)
FUZZ_SECONDS ?= 60
FUZZ_OUT     := $(OUT)/fuzz
FUZZ_FLAGS   := $(filter-out -fsanitize=%,$(BASE)) -O1 -fno-omit-frame-pointer \
                -fsanitize=fuzzer,address,undefined \
                -fno-sanitize-recover=all
FUZZ_SOURCES := $(patsubst %,common/%,$(filter-out file,$(call modules_of,04))) \
                tests/fuzz/memory_file

$(FUZZ_OUT)/%.o: %.c $(STAMP)
	@mkdir -p $(@D)
	$(call run,fuzz,$<,$(FUZZ_CC) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<)
$(FUZZERS:%=$(FUZZ_OUT)/%): $(FUZZ_OUT)/%: $(FUZZ_OUT)/tests/fuzz/%.o \
                            $(FUZZ_SOURCES:%=$(FUZZ_OUT)/%.o)
	$(call run,link,$@,$(FUZZ_CC) $(FUZZ_FLAGS) -o $@ $^ $(LDLIBS))
.SECONDARY: $(FUZZERS:%=$(FUZZ_OUT)/tests/fuzz/%.o)
-include $(wildcard $(FUZZ_OUT)/*/*.d $(FUZZ_OUT)/tests/fuzz/*.d)

.PHONY: fuzz fuzzers
fuzzers: $(FUZZERS:%=$(FUZZ_OUT)/%)
fuzz: setup fuzzers
	@$(PYTHON) reference/make_fuzz_seeds.py $(FUZZ_OUT)/seeds
	@for f in $(FUZZERS); do sh tools/fuzz $(FUZZ_OUT) $$f $(FUZZ_SECONDS) \
	    || exit 1; done

# The same with files that are there already, and without libFuzzer.
$(FUZZERS:fuzz_%=$(OUT)/replay_%): $(OUT)/replay_%: $(OUT)/tests/fuzz/fuzz_%.o \
        $(OUT)/tests/fuzz/replay.o $(FUZZ_SOURCES:%=$(OUT)/%.o)
	$(call run,link,$@,$(CC) $(LINK) -o $@ $^ $(LDLIBS))

# The modules that open, write and allocate, compiled so that a test can
# refuse them what they ask for; the others as they are.
FAILING         := file gguf gguf_find gguf_write
FAILING_OBJECTS := $(FAILING:%=$(OUT)/failing/%.o) \
                   $(OUT)/tests/failing/failing.o
$(FAILING:%=$(OUT)/failing/%.o): $(OUT)/failing/%.o: common/%.c \
                                 tests/failing/failing.h $(STAMP)
	@mkdir -p $(@D)
	$(call run,cc,$<,$(CC) $(BASE) -include tests/failing/failing.h \
	    -MMD -MP -c -o $@ $<)
$(OUT)/tests/test_failing_calls: $(OUT)/tests/test_failing_calls.o \
        $(FAILING_OBJECTS) $(filter-out $(FAILING:%=$(OUT)/common/%.o),$(COMMON))
	$(call run,link,$@,$(CC) $(LINK) -o $@ $^ $(CMOCKA) $(LDLIBS))
-include $(wildcard $(OUT)/failing/*.d $(OUT)/tests/failing/*.d)

.PHONY: coverage fuzz-coverage
coverage: setup
	@$(PYTHON) tools/coverage.py
fuzz-coverage: setup
	@$(PYTHON) tools/coverage.py fuzz
