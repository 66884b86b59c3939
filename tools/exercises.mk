# Exercises, and mistakes that tests must catch.
#
#   make exercises             list them: number, title, kind and minutes
#   make exercise-05-3         put a starting file in work/05-3.c
#   make exercise-05-1 SEED=7  a sheet with your own numbers: work/05-1.txt
#   make check-exercise-05-3   build it and say what is right and what is not
#   make answers-05-1 SEED=7   for teachers: the right answers to that sheet
#   make grade                 every exercise with its points
#   make grade WORK=folder     of a whole class, a folder for each student
#   make grade FORMAT=json     as data, or FORMAT=junit; CHAPTER=05 for one
#   make progress              the map of the Llama, and which boxes are yours
#   make check-exercises       starts fail, solutions pass, changed ones fail
#   make check-wrong           every planted mistake is caught by a test

WORK ?= work
ifeq ($(WORK),)             # a variable of the caller's that is not set
override WORK := work
endif
SEED ?= 1

EXERCISES    := $(sort $(notdir $(wildcard chapters/*/exercises/[0-9]*-*)))
exercise_id   = $(word 1,$(subst -, ,$1))-$(word 2,$(subst -, ,$1))
exercise_dir  = $(wildcard chapters/*/exercises/$1-*)
EXERCISE_IDS := $(foreach e,$(EXERCISES),$(call exercise_id,$e))

# How it is answered: without a check in words, with a start in C, and else
# on a sheet that the check prints.
exercise_type = $(if $(wildcard $(call exercise_dir,$1)/check.c),$(if \
                $(wildcard $(call exercise_dir,$1)/start.c),c,txt),md)
of_type       = $(foreach e,$(EXERCISE_IDS),$(if $(filter $1,$(call \
                exercise_type,$e)),$e))
CODE_IDS     := $(call of_type,c)
SHEET_IDS    := $(call of_type,txt)
CHECKED_IDS  := $(CODE_IDS) $(SHEET_IDS)

# What is taught up to a chapter, as an archive: a file that has all of a
# module's functions stands in for that module. Without what needs a library.
define modules_rule
$(OUT)/exercises/modules-$1.a: $(filter-out $(NEEDY:%=$(OUT)/common/%.o),\
        $(call objects_of,$1))
	@mkdir -p $$(@D) && rm -f $$@ && $(AR) rc $$@ $$^ && ranlib $$@
endef
$(foreach n,$(sort $(foreach e,$(CHECKED_IDS),$(firstword $(subst -, ,$e)))),\
    $(eval $(call modules_rule,$n)))

exercise_parts = $(OUT)/$(call exercise_dir,$1)/check.o \
                 $(OUT)/tools/exercise.o $(OUT)/tools/exercise_sheet.o \
                 $(OUT)/exercises/modules-$(firstword $(subst -, ,$1)).a
-include $(wildcard $(OUT)/chapters/*/exercises/*/*.d $(OUT)/tools/*.d)

# A reader's code is linked with the check and with common/, never with what
# the reader wrote for another chapter.
define exercise_rule
.PHONY: link-exercise-$1
link-exercise-$1: $(call exercise_parts,$1)
	@mkdir -p $$(dir $$(PROGRAM))
	@$$(CC) $$(BASE) -o $$(PROGRAM) $$(filter %.c,$$(ANSWER)) $$^ $$(LDLIBS)
endef
$(foreach e,$(CHECKED_IDS),$(eval $(call exercise_rule,$e)))

exercise_tool = @MAKE='$(MAKE)' OUT='$(OUT)' WORK='$(WORK)' SEED='$(SEED)' \
    sh tools/exercise $1 $2 $(call exercise_type,$2) $(call exercise_dir,$2)
# The others stand in the text alone.
exercise-% check-exercise-%:
	@echo "error: there are no files for an exercise $*; \`make exercises\`" \
	    "lists those that have some, the others are done on paper" >&2; exit 2

.PHONY: $(EXERCISE_IDS:%=exercise-%) $(EXERCISE_IDS:%=check-exercise-%) \
        $(SHEET_IDS:%=answers-%)
$(EXERCISE_IDS:%=exercise-%): exercise-%:
	$(call exercise_tool,start,$*)
$(EXERCISE_IDS:%=check-exercise-%): check-exercise-%:
	$(call exercise_tool,check,$*)
$(SHEET_IDS:%=answers-%): answers-%:
	$(call exercise_tool,answers,$*)

.PHONY: exercises grade progress check-exercises exercise-parts
exercises:
	@awk 'FNR == 1 { title = substr($$0, 3) } \
	    FNR == 3 { gsub(/[*.]/, ""); printf "%-34s %s\n", title, $$0 }' \
	    $(sort $(wildcard chapters/*/exercises/*/task.md))
grade:
	@python3 tools/grade.py --work '$(WORK)' $(if $(FORMAT),--format \
	    '$(FORMAT)') $(if $(CHAPTER),--chapter '$(CHAPTER)')
progress:
	@python3 tools/grade.py --work '$(WORK)' --progress
check-exercises:
	@python3 tools/check_exercises.py

# For tools/exercises.py: how answers are compiled and linked.
exercise-parts: $(sort $(foreach e,$(CHECKED_IDS),$(call exercise_parts,$e)))
	@echo 'compiler' $(CC) $(BASE)
	@echo 'libraries' $(LDLIBS)
	@$(foreach e,$(CHECKED_IDS),echo '$e' $(call exercise_parts,$e);) :

# For tests/check_wrong.py: how a test is compiled and linked.
.PHONY: check-wrong test-parts
check-wrong:
	@python3 tests/check_wrong.py
test-parts:
	@echo $(CC) $(BASE) $(CMOCKA_FLAGS)
	@echo $(TEST_OBJECTS) $(COMMON)
	@echo $(LINK) $(CMOCKA) $(LDLIBS)
