# The book: chapters/*/chapter.md, woven with the sources they quote.
#
#   make book          build/book/llama-line-by-line.pdf
#   make book EDITION=teacher   the same, with solutions and answers
#   make check-book    run every transcript again, look at every page
#   make book-draft    the same pages unchecked
#   make book-tools    install what weaves them: Pandoc and Typst

BOOK_VENV  := .venv-book
BOOK_OUT   := build/book
PANDOC     := $(BOOK_VENV)/bin/pandoc
BOOK_TEXTS  = $(sort $(wildcard chapters/[0-9][0-9]-*/chapter.md))
BOOK_TIME   = $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
BOOK_DAY    = $(shell date -u -d @$(BOOK_TIME) '+%-d %B %Y' 2>/dev/null \
    || date -u -r $(BOOK_TIME) '+%-d %B %Y')
WEAVE       = $(PANDOC) book/preface.md -s --metadata-file=book/book.yaml \
    -M chapters="$(BOOK_TEXTS)" -L book/filters/book.lua --citeproc \
    --wrap=none
EDITION    :=
BOOK_NAME   = llama-line-by-line$(EDITION:%=-%)

.PHONY: book book-tools book-draft book-pdf check-book
book-tools: $(BOOK_VENV)/ready
$(BOOK_VENV)/ready: book/requirements.txt
	python3 -m venv $(BOOK_VENV)
	$(BOOK_VENV)/bin/pip install -q --disable-pip-version-check \
	    --require-hashes -r $<
	ln -sf $$($(BOOK_VENV)/bin/python -c 'import pypandoc; \
	    print(pypandoc.get_pandoc_path())') $(PANDOC)
	touch $@

# What finished chapters quote is run again first, and each page of the
# result is looked at: a book that has aged is not built. The eight programs
# run in seconds, but all of them have to be compiled: check-book does that.
BOOK_DONE  := $(shell grep -l '^finished: true' chapters/*/chapter.md \
    2>/dev/null | sed 's|^chapters/\([0-9]*\)-.*|\1|')
book: $(BOOK_DONE:%=chapter-%)
	@test -z "$(BOOK_DONE)" || \
	    python3 book/check_transcripts.py $(BOOK_DONE)
	@$(MAKE) -s book-pdf
	@$(BOOK_VENV)/bin/python book/check_pages.py $(BOOK_OUT)/$(BOOK_NAME).pdf
	@echo "$(BOOK_OUT)/$(BOOK_NAME).pdf"
check-book: chapters book-pdf
	@python3 book/check_transcripts.py
	@$(BOOK_VENV)/bin/python book/check_pages.py $(BOOK_OUT)/$(BOOK_NAME).pdf

# Phony, because what it reads is every source there is.
book-pdf: book-tools
	@mkdir -p $(BOOK_OUT)
	@BOOK_COVERAGE=$(BOOK_OUT)/coverage.txt $(WEAVE) -t typst-smart \
	    --template=book/book.typ -M date="$(BOOK_DAY)" \
	    -M revision="$(shell git rev-parse --short HEAD 2>/dev/null)" \
	    $(EDITION:teacher=-M teacher=true -M edition="Teacher's edition") \
	    -o $(BOOK_OUT)/$(BOOK_NAME).typ
	@SOURCE_DATE_EPOCH=$(BOOK_TIME) $(BOOK_VENV)/bin/python \
	    book/typst_pdf.py $(BOOK_OUT)/$(BOOK_NAME).typ \
	    $(BOOK_OUT)/$(BOOK_NAME).pdf
	@sed '/ not shown:/d' $(BOOK_OUT)/coverage.txt
book-draft: book-pdf
	@echo "$(BOOK_OUT)/$(BOOK_NAME).pdf"
