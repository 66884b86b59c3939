# Models from elsewhere.
#
#   make fetch MODEL=owner/name[:file]   a model of the Hugging Face Hub

# The name comes through the environment: a shell would read it otherwise.
.PHONY: fetch
fetch:
	@test -n "$$FETCH" || { echo "error: fetch what? expected" \
	    "MODEL=owner/name or MODEL=owner/name:file" >&2; exit 1; }
	@sh tools/setup python
	@$(PYTHON) tools/fetch "$$FETCH"
# The MODEL that `make run` has when nobody names one is a file, not a name.
fetch: export FETCH := $(if $(filter file,$(origin MODEL)),,$(value MODEL))
