# Exercises, and mistakes that tests must catch.
#
#   make exercises             list them: number and title
#   make exercise-05-1         put a starting file in work/05-1.c
#   make check-exercise-05-1   build it and say what is right and what is not
#   make check-exercises       every start fails, every solution passes
#   make check-wrong           every planted mistake is caught by a test

EXERCISES    := $(notdir $(wildcard chapters/*/exercises/[0-9]*-*))
exercise_id   = $(word 1,$(subst -, ,$1))-$(word 2,$(subst -, ,$1))
exercise_dir  = $(wildcard chapters/*/exercises/$1-*)
EXERCISE_IDS := $(foreach e,$(EXERCISES),$(call exercise_id,$e))

# Never over what a reader has already written.
.PHONY: $(EXERCISE_IDS:%=exercise-%)
$(EXERCISE_IDS:%=exercise-%): exercise-%:
	@mkdir -p work
	@if test -e work/$*.c; then \
	    echo "work/$*.c is there already, and stays as it is"; \
	else \
	    cp $(call exercise_dir,$*)/start.c work/$*.c && \
	    echo "work/$*.c is yours; then: make check-exercise-$*"; \
	fi
	@echo "the task: $(call exercise_dir,$*)/task.md"

# Its title is the first line of its task.
.PHONY: exercises
exercises:
	@awk 'FNR == 1 { sub(/^# */, ""); print }' \
	    $(sort $(wildcard chapters/*/exercises/*/task.md))

# The reader's file, the check, and what is taught up to this chapter, all
# with sanitizers: a write beyond an array is a wrong answer.
ANSWER ?= work/$1.c
define exercise_rule
.PHONY: link-exercise-$1
link-exercise-$1: $$(call objects_of,$$(firstword $$(subst -, ,$1)))
	@mkdir -p $$(OUT)/exercises
	@$$(CC) $$(BASE) -o $$(OUT)/exercises/$1 $(ANSWER) \
	    $$(call exercise_dir,$1)/check.c tools/exercise.c \
	    $$(filter %.o,$$^) $$(LDLIBS)
endef
$(foreach e,$(EXERCISE_IDS),$(eval $(call exercise_rule,$e)))

.PHONY: $(EXERCISE_IDS:%=check-exercise-%)
$(EXERCISE_IDS:%=check-exercise-%): check-exercise-%:
	@test -e $(call ANSWER,$*) || { echo "there is no $(call ANSWER,$*)" \
	    "yet: make exercise-$* puts one there"; exit 2; }
	@$(MAKE) -s SANITIZE=1 link-exercise-$* ANSWER='$(call ANSWER,$*)'
	@build/sanitize/exercises/$* || { \
	    echo "a hint: $(call exercise_dir,$*)/hint.md"; exit 1; }

.PHONY: check-exercises check-wrong test-parts
check-exercises:
	@MAKE='$(MAKE)' sh tools/check-exercises $(EXERCISES)
check-wrong:
	@python3 tests/check_wrong.py

# For tests/check_wrong.py: how a test is compiled and linked.
test-parts:
	@echo $(CC) $(BASE) $(CMOCKA_FLAGS)
	@echo $(TEST_OBJECTS) $(COMMON)
	@echo $(LINK) $(CMOCKA) $(LDLIBS)
