# The tools and the library, for other programs.
#
#   make install      tools, liblll.a, headers under PREFIX (/usr/local)
#   make uninstall    take them away again

PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := $(shell sed -n 's/^.define LLL_VERSION "\(.*\)"/\1/p' common/session.h)

# Which chapter's program becomes which tool. Chapters 5 and 6 look at the
# recorded trace of this repository, so they stay here. Chapter 2 needs
# jansson, which an installation does not ask for.
TOOLS := 01:lll-size 03:lll-gguf 04:lll-tokenize 07:lll-quantize 08:lll-run \
    $(if $(shell pkg-config --exists jansson 2>/dev/null && echo yes),02:lll-plan)
tool_program = $(OUT)/chapter-$(firstword $(subst :, ,$1))/run
tool_name    = $(lastword $(subst :, ,$1))

# Everything in common/ but what needs a library from outside.
LIBRARY_HEADERS := $(filter-out $(NEEDY:%=common/%.h),$(wildcard common/*.h))
$(OUT)/liblll.a: $(COMMON)
	@rm -f $@
	$(call run,ar,$@,$(AR) rcs $@ $^)

BIN     = $(DESTDIR)$(PREFIX)/bin
LIB     = $(DESTDIR)$(PREFIX)/lib
INCLUDE = $(DESTDIR)$(PREFIX)/include/lll
SHARE   = $(DESTDIR)$(PREFIX)/share/lll
SHARED := data/tiny.gguf data/tiny.txt $(wildcard examples/*.c) \
    examples/README.md

# lll.pc names the folder to programs that are built elsewhere.
whole-prefix:
	@case '$(PREFIX)' in /*) ;; *) echo 'error: PREFIX=$(PREFIX) is not a' \
	    'whole path, expected one that begins with /, as $(CURDIR)/$(PREFIX)' \
	    >&2; exit 1;; esac

# The headers name each other "common/x.h", which is where they are while the
# book is built; installed they are <lll/x.h>. The commands put a file beside
# the old one and rename it, so that a tool that runs is not written into.
.PHONY: install uninstall whole-prefix
install: $(OUT)/liblll.a $(foreach t,$(TOOLS),$(call tool_program,$t)) \
    | whole-prefix
	@mkdir -p '$(BIN)' '$(LIB)/pkgconfig' '$(INCLUDE)' '$(SHARE)'
	@set -e; for t in $(foreach t,$(TOOLS),$(call tool_program,$t):$(call tool_name,$t)); do \
	    cp "$${t%:*}" '$(BIN)/'".new-$${t##*:}"; chmod 755 '$(BIN)/'".new-$${t##*:}"; \
	    mv -f '$(BIN)/'".new-$${t##*:}" '$(BIN)/'"$${t##*:}"; done
	@set -e; for h in $(LIBRARY_HEADERS); do \
	    sed 's|^#include "common/\(.*\)"|#include <lll/\1>|' $$h \
	    > '$(INCLUDE)/'"$${h#common/}"; done
	@cp $(OUT)/liblll.a '$(LIB)/liblll.a'
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
	    tools/lll.pc.in > '$(LIB)/pkgconfig/lll.pc'
	@cp $(SHARED) '$(SHARE)/'
	@echo "Installed in $(DESTDIR)$(PREFIX): $(foreach t,$(TOOLS),$(call tool_name,$t)) and liblll.a."
	@echo "Models are given by name: lll-run -m FILE.gguf -p \"Hello\"," \
	    "or the tiny one, $(PREFIX)/share/lll/tiny.gguf."

# What was put there is taken away by name, and then the two folders that are
# only ours, unless somebody keeps a model in them. The other folders are
# everybody's.
uninstall: | whole-prefix
	@rm -f $(foreach t,$(TOOLS) 02:lll-plan,'$(BIN)/$(call tool_name,$t)') \
	    '$(LIB)/liblll.a' '$(LIB)/pkgconfig/lll.pc' \
	    $(LIBRARY_HEADERS:common/%='$(INCLUDE)/%') \
	    $(foreach f,$(SHARED),'$(SHARE)/$(notdir $f)')
	@for d in '$(INCLUDE)' '$(SHARE)'; do \
	    test ! -d "$$d" || rmdir "$$d" 2>/dev/null \
	    || echo "$$d stays: it holds files that were not installed."; done
