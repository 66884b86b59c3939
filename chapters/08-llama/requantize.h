#ifndef CHAPTERS_08_REQUANTIZE_H
#define CHAPTERS_08_REQUANTIZE_H

#include <stddef.h>

#include "chapters/08-llama/options.h"
#include "common/error.h"

// @begin requantize-api
// The model that the command line names, as --requantize wants it: converted
// once, kept in the cache folder, and found again.
//
// The folder is --cache-dir, or llama-line-by-line in $XDG_CACHE_HOME or in
// ~/.cache. A result is called by the SHA-256 of its source and by the
// recipe, so another file of the same name is another source. Reading a
// gigabyte at each start would be no gain: the hash itself is kept under the
// source's device, inode, size and time of change (of its inode: that of the
// last modification can be set back), and believed as long as these four are
// what they were. A result that cannot be opened is made again.
//
// path   of `capacity` bytes: filled with the result's name
// LLL_ERR_USAGE   no such recipe, or no folder; and the errors of
//                 gguf_open() and convert_file()
lll_status requantize(const settings *set, char *path, size_t capacity,
                      lll_error *err);
// @end requantize-api

#endif
