# The book for screens: the same text and filters as the PDF's.
#
#   make html          build/book/html/index.html, a page for each chapter

BOOK_REVISION = $(shell git rev-parse --short HEAD 2>/dev/null)

.PHONY: html
html: book-tools
	@rm -rf $(BOOK_OUT)/html && mkdir -p $(BOOK_OUT)
	@$(WEAVE) -t chunkedhtml --template=book/html/page.html --mathml \
	    --split-level=1 --chunk-template=%i.html --toc --toc-depth=2 \
	    --section-divs -M revision="$(BOOK_REVISION)" -o $(BOOK_OUT)/html
	@$(BOOK_VENV)/bin/python book/html/site.py $(BOOK_OUT)/html
