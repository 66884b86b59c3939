#include <stdio.h>
#include <string.h>

#include "common/sha256.h"
#include "common/terminal.h"

#include "show.h"

// @begin hash-tensor
static void hash_bytes(const void *bytes, size_t n, char text[SHA256_TEXT])
{
    sha256 hash;
    sha256_init(&hash);
    sha256_add(&hash, bytes, n);
    sha256_finish(&hash, text);
}

// What a tensor is, whatever file it is in: the hash of its bytes, type,
// shape, name.
static void describe(const gguf_tensor *tensor, char text[SHA256_TEXT + 120])
{
    char dims[96];
    size_t n = 0;
    hash_bytes(tensor->data, tensor->n_bytes, text);
    for (int i = 0; i < tensor->n_dims; i++)
        n += (size_t)snprintf(dims + n, sizeof dims - n, "%s%llu",
                              i > 0 ? "x" : "",
                              (unsigned long long)tensor->dims[i]);
    snprintf(text + strlen(text), 120, "  %s  %s  ",
             dtype_name((uint32_t)tensor->type), dims);
}
// @end hash-tensor

// @begin hash-line
// "HASH  F16  64x512  token_embd.weight", or the hash and the name.
static void show_line(char line[SHA256_TEXT + 120], gguf_string name,
                      json_out *json)
{
    if (json == NULL) {
        fputs(line, stdout);
        terminal_text(stdout, name.bytes, name.n_bytes);
        putchar('\n');
        return;
    }
    line[SHA256_TEXT - 1] = '\0';
    json_out_object(json);
    json_out_key(json, "name");
    json_out_bytes(json, name.bytes, name.n_bytes);
    json_out_key(json, "sha256");
    json_out_text(json, line);
    json_out_end(json);
}
// @end hash-line

// @begin hash-weights
// The hash of those lines, sorted by name: the same for all files that hold
// the same weights, in whatever order, with whatever metadata.
static void hash_weights(const gguf_file *file, bool print, json_out *json,
                         char text[SHA256_TEXT])
{
    sha256 hash;
    sha256_init(&hash);
    for (size_t i = 0; i < file->n_tensors; i++) {
        const gguf_string *name = file->tensor_order[i];
        char line[SHA256_TEXT + 120];
        // A tensor begins with its name.
        describe((const gguf_tensor *)(const void *)name, line);
        sha256_add(&hash, line, strlen(line));
        sha256_add(&hash, name->bytes, name->n_bytes);
        sha256_add(&hash, "\n", 1);
        if (print)
            show_line(line, *name, json);
    }
    sha256_finish(&hash, text);
}
// @end hash-weights

// @begin hash-show
static void show_part(const char *path, file_map map, json_out *json)
{
    char text[SHA256_TEXT];
    hash_bytes(map.bytes, map.n_bytes, text);
    if (json == NULL) {
        printf("%s  %s\n", text, path);
    } else {
        json_out_object(json);
        json_out_key(json, "path");
        json_out_text(json, path);
        json_out_key(json, "sha256");
        json_out_text(json, text);
        json_out_end(json);
    }
}
// @end hash-show

// @begin hash-command
void show_hash(const gguf_file *file, bool tensors, json_out *json)
{
    char text[SHA256_TEXT];
    if (json != NULL) {
        json_out_object(json);
        json_out_key(json, "files");
        json_out_array(json);
    }
    if (json != NULL || !tensors) {
        show_part(file->path, file->map, json);
        for (size_t i = 0; i < file->n_others; i++)
            show_part(file->others[i].path, file->others[i].map, json);
    }
    if (json != NULL)
        json_out_end(json);
    if (json != NULL && tensors) {
        json_out_key(json, "tensors");
        json_out_array(json);
    }
    hash_weights(file, tensors, json, text);
    if (json != NULL && tensors)
        json_out_end(json);
    if (json != NULL) {
        json_out_key(json, "weights");
        json_out_text(json, text);
        json_out_end(json);
    } else if (!tensors) {      // sha256sum -c takes it for a comment
        printf("# %s  the weights alone\n", text);
    }
}
// @end hash-command
