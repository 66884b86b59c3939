# The book: chapters/*/chapter.md, woven with the sources they quote.
#
#   make book-draft    weave the chapters that are there into build/book
#   make book-tools    install what weaves them: Pandoc and Typst

BOOK_VENV  := .venv-book
BOOK_OUT   := build/book
PANDOC     := $(BOOK_VENV)/bin/pandoc
BOOK_TEXTS  = $(sort $(wildcard chapters/[0-9][0-9]-*/chapter.md))
BOOK_DATE   = $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
WEAVE       = $(PANDOC) book/preface.md -s --metadata-file=book/book.yaml \
    -M chapters="$(BOOK_TEXTS)" -L book/filters/book.lua --citeproc \
    --wrap=none

.PHONY: book-tools book-draft
book-tools: $(BOOK_VENV)/ready
$(BOOK_VENV)/ready: book/requirements.txt
	python3 -m venv $(BOOK_VENV)
	$(BOOK_VENV)/bin/pip install -q --disable-pip-version-check \
	    --require-hashes -r $<
	ln -sf $$($(BOOK_VENV)/bin/python -c 'import pypandoc; \
	    print(pypandoc.get_pandoc_path())') $(PANDOC)
	touch $@

# Phony, because what it reads is every source there is.
book-draft: book-tools
	@mkdir -p $(BOOK_OUT)
	BOOK_COVERAGE=$(BOOK_OUT)/coverage.txt $(WEAVE) -t typst \
	    --template=book/book.typ -M date="$(shell date -u -d @$(BOOK_DATE) \
	    '+%-d %B %Y' 2>/dev/null || date -u -r $(BOOK_DATE) '+%-d %B %Y')" \
	    -M revision="$(shell git rev-parse --short HEAD 2>/dev/null)" \
	    -o $(BOOK_OUT)/draft.typ
	SOURCE_DATE_EPOCH=$(BOOK_DATE) $(BOOK_VENV)/bin/python \
	    book/typst_pdf.py $(BOOK_OUT)/draft.typ $(BOOK_OUT)/draft.pdf
	$(WEAVE) -t html --toc --toc-depth=2 --mathml --section-divs \
	    --embed-resources --css=book/book.css -V document-css=false \
	    -o $(BOOK_OUT)/draft.html
	@sed 's/ not shown:.*/ not shown/' $(BOOK_OUT)/coverage.txt
	@echo "$(BOOK_OUT)/draft.pdf, $(BOOK_OUT)/draft.html"
