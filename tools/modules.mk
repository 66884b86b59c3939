# From chapters/order.txt: which modules each chapter may link.

ORDER    := chapters/order.txt
NUMBERS  := $(shell sed -n 's/^\([0-9][0-9]\) .*/\1/p' $(ORDER))
chapter_dir = $(wildcard chapters/$1-*)

# modules_of NN: everything taught up to chapter NN, and what stands in its
# own line behind "alone:" and "ahead:".
modules_of = $(shell awk '/^[0-9]/ { own = 0; for (i = 3; i <= NF; i++) { \
    if ($$i ~ /:$$/) own = 1; \
    else if ($$1 == "$1" || ($$1 < "$1" && !own)) print $$i } }' \
    $(ORDER) | sort -u)

# Modules that need a library from outside, and that library: only programs
# that list such a module are linked with it.
NEEDY := config_json
LIBS_config_json   = $(or $(shell pkg-config --libs jansson 2>/dev/null),-ljansson)
CFLAGS_config_json = $(shell pkg-config --cflags jansson 2>/dev/null)
NEED_config_json  := jansson.h libjansson-dev jansson
libs_of = $(foreach m,$(filter $(NEEDY),$1),$(LIBS_$m))

define needy_rule
$(OUT)/common/$1.o: BASE += $$(CFLAGS_$1)
$(OUT)/common/$1.o: | $(OUT)/need-$1
$(OUT)/need-$1:
	@mkdir -p $$(@D)
	@CC='$(CC)' CFLAGS='$$(CFLAGS) $$(CFLAGS_$1)' sh tools/need $(NEED_$1) \
	    && touch $$@
endef
$(foreach m,$(NEEDY),$(eval $(call needy_rule,$m)))

# One short line for each command; `make V=1` shows the commands whole.
run = $(if $(V),$3,@printf '  %-4s  %s\n' '$1' '$2' && $3)

# Faster versions of the kernels, one file for each instruction set. They
# are there when their folder is: chapter 7 builds without it.
ARCH := $(shell $(CC) -dumpmachine)
SETS_x86_64  := avx2 avxvnni avx512 amx
SETS_aarch64 := neon neon_dot
SETS_arm64   := $(SETS_aarch64)
FLAGS_avx2     := -mavx2 -mfma -mf16c
FLAGS_avxvnni  := $(FLAGS_avx2) -mavxvnni
FLAGS_avx512   := $(FLAGS_avx2) -mavx512f -mavx512bw -mavx512vl -mavx512vnni
FLAGS_amx      := $(FLAGS_avx512) -mamx-tile -mamx-int8
FLAGS_neon_dot := -march=armv8.2-a+dotprod
# A set that this compiler has no flags for is left out.
accepts = $(if $1,$(shell $(CC) $1 -x c -E /dev/null > /dev/null 2>&1 && echo yes),yes)
KERNEL_SETS := $(strip $(foreach k,portable $(SETS_$(firstword $(subst -, ,$(ARCH)))),$(if \
    $(wildcard common/kernels/$k.c),$(if $(call accepts,$(FLAGS_$k)),$k))))
KERNEL_OBJECTS := $(if $(KERNEL_SETS),$(patsubst %,$(OUT)/common/kernels/%.o,cpu $(KERNEL_SETS)))
KERNEL_DEFINES := $(if $(KERNEL_SETS),-DHAVE_KERNELS) $(foreach k,$(KERNEL_SETS),-DHAVE_KERNELS_$(shell echo $k | tr a-z A-Z))

# Loops unrolled in registers have very many variables: to describe each of
# them to a debugger took a third of the time. Lines and functions are told.
KERNEL_FLAGS := -g1 $(if $(SANITIZE),-O1)

# Whoever passes other flags gets a build of its own, not a mixture.
STAMP := $(OUT)/flags
STAMP_TEXT := $(CC) $(BASE) $(KERNEL_DEFINES) $(KERNEL_FLAGS) $(foreach k,$(KERNEL_SETS),$k: $(FLAGS_$k))
$(shell mkdir -p $(OUT); echo '$(STAMP_TEXT)' | cmp -s - $(STAMP) || echo '$(STAMP_TEXT)' > $(STAMP))

objects_of = $(patsubst %,$(OUT)/common/%.o,$(call modules_of,$1)) \
             $(if $(filter kernels,$(call modules_of,$1)),$(KERNEL_OBJECTS))

$(OUT)/common/kernels.o: BASE += $(KERNEL_DEFINES)
$(KERNEL_OBJECTS): $(OUT)/common/kernels/%.o: common/kernels/%.c $(STAMP)
	@mkdir -p $(@D)
	$(call run,cc,$<,$(CC) $(BASE) $(KERNEL_FLAGS) \
	    $(FLAGS_$*) -MMD -MP -c -o $@ $<)

$(OUT)/%.o: %.c $(STAMP)
	@mkdir -p $(@D)
	$(call run,cc,$<,$(CC) $(BASE) -MMD -MP -c -o $@ $<)
-include $(wildcard $(OUT)/common/*.d $(OUT)/common/kernels/*.d $(OUT)/chapters/*/*.d)

# Static pattern rules: a phony target never looks for an implicit rule.
.PHONY: $(NUMBERS:%=chapter-%) chapters
chapters: $(NUMBERS:%=chapter-%)
$(NUMBERS:%=chapter-%): chapter-%: $(OUT)/chapter-%/run
ifndef SANITIZE
	@mkdir -p $@ && cp -f $(OUT)/chapter-$*/run $@/run.new && mv -f $@/run.new $@/run
endif

# A chapter's own files: main.c, and what it keeps beside it. Exercises and
# the wrong versions stand in folders of their own and are not linked.
sources_of = $(wildcard $(call chapter_dir,$1)/*.c)

define chapter_rule
$(OUT)/chapter-$1/run: $(patsubst %.c,$(OUT)/%.o,$(call sources_of,$1)) $(call objects_of,$1)
	@mkdir -p $$(@D)
	$$(call run,link,$$@,$$(CC) $$(LINK) -o $$@ $$^ $(LDLIBS) \
	    $$(call libs_of,$(call modules_of,$1)))
endef
$(foreach n,$(NUMBERS),$(if $(call chapter_dir,$n),$(eval $(call chapter_rule,$n))))
