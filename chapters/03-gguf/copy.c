#include <string.h>

#include "common/gguf_write.h"

#include "show.h"

// @begin copy
lll_status copy_file(const gguf_file *file, const char *path, lll_error *err)
{
    gguf_writer out;
    lll_status status = LLL_OK;
    gguf_writer_init(&out);
    for (size_t i = 0; i < file->n_values; i++)
        gguf_copy_value(&out, &file->values[i]);
    for (size_t i = 0; i < file->n_tensors && status == LLL_OK; i++) {
        const gguf_tensor *tensor = &file->tensors[i];
        char name[GGUF_MAX_NAME + 1] = "";
        // The writer wants a C string, and in a file a NUL is a letter.
        memcpy(name, tensor->name.bytes, tensor->name.n_bytes);
        if (strlen(name) != tensor->name.n_bytes)
            status = lll_fail(err, LLL_ERR_UNSUPPORTED, "%s: tensor %s: its "
                              "name goes on after a NUL, and can not be "
                              "copied", file->path, name);
        gguf_add_tensor(&out, name, tensor->type, tensor->dims,
                        tensor->n_dims, tensor->data);
    }
    if (status == LLL_OK)
        status = gguf_write(&out, path, err);
    gguf_writer_free(&out);
    return status;
}
// @end copy
