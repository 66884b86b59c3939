# Models from elsewhere.
#
#   make fetch MODEL=owner/name[:file]   a model of the Hugging Face Hub

# The name comes through the environment: a shell would read it otherwise.
.PHONY: fetch
fetch:
	@sh tools/setup python
	@$(PYTHON) tools/fetch "$$FETCH"
fetch: export FETCH := $(value MODEL)
