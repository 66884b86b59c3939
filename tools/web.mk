# The book for screens: the same text and filters as the PDF's.
#
#   make html          build/book/html/index.html, a page a chapter
#   make epub          build/book/llama-line-by-line.epub
#   make check-epub    what epubcheck says about it
#   make slides        build/book/slides/, a deck for each chapter

BOOK_REVISION = $(shell git rev-parse --short HEAD 2>/dev/null)

.PHONY: html
html: book-tools
	@rm -rf $(BOOK_OUT)/html && mkdir -p $(BOOK_OUT)
	@$(WEAVE) -t chunkedhtml --template=book/html/page.html --mathml \
	    --split-level=1 --chunk-template=%i.html --toc --toc-depth=2 \
	    --section-divs -M revision="$(BOOK_REVISION)" \
	    -M date="$(BOOK_DAY)" -o $(BOOK_OUT)/html
	@$(BOOK_VENV)/bin/python book/html/site.py $(BOOK_OUT)/html

# Readers know a book by its identifier; the time is that of the commit, so
# that the same sources give the same file.
EPUB    = $(BOOK_OUT)/llama-line-by-line.epub
EPUB_ID = urn:uuid:5f0c3c0a-5c5c-5e0b-8f53-6c6c616d6131
.PHONY: epub check-epub
epub: book-tools
	@mkdir -p $(BOOK_OUT)
	@$(BOOK_VENV)/bin/python book/epub/cover.py $(BOOK_OUT)/cover.png
	@SOURCE_DATE_EPOCH=$(BOOK_TIME) $(WEAVE) -t epub3 --mathml \
	    --split-level=1 --toc-depth=2 --css=book/epub/epub.css \
	    --epub-cover-image=$(BOOK_OUT)/cover.png -M identifier=$(EPUB_ID) \
	    -o $(EPUB)
	@echo $(EPUB)

# Debian's command of that name starts the jar only where the kernel knows
# jars, so the jar is what is looked for.
EPUBCHECK ?= /usr/share/java/epubcheck.jar
check-epub: epub
	@test -f $(EPUBCHECK) || { echo "check-epub: needs Java and epubcheck:" \
	    "apt-get install epubcheck, or EPUBCHECK=FILE.jar" >&2; exit 1; }
	@java -jar $(EPUBCHECK) $(EPUB)

# A chapter without a slides.md gets a draft made from its text. NOTES=yes
# puts what is for the speaker under each slide.
NOTES  :=
SLIDES  = $(BOOK_OUT)/slides
DECKS   = $(patsubst chapters/%/chapter.md,slides-%,$(BOOK_TEXTS))
.PHONY: slides $(DECKS)
slides: $(DECKS)
$(DECKS): slides-%: book-tools
	@mkdir -p $(SLIDES)
	@$(PANDOC) $(firstword $(wildcard chapters/$*/slides.md) \
	    chapters/$*/chapter.md) -s -L book/slides/slides.lua \
	    --template=book/slides/slides.typ $(NOTES:%=-M notes=true) \
	    --wrap=none -t typst -o $(SLIDES)/$*.typ
	@SOURCE_DATE_EPOCH=$(BOOK_TIME) $(BOOK_VENV)/bin/python \
	    book/typst_pdf.py $(SLIDES)/$*.typ $(SLIDES)/$*.pdf
	@echo $(SLIDES)/$*.pdf
