#include "common/file.h"
#include "common/gguf_write.h"

#include "show.h"

// @begin copy
lll_status copy_file(const gguf_file *file, const char *path, lll_error *err)
{
    gguf_writer out;
    // Replacing what we read would leave no original to compare with.
    if (file_is_same(file->path, path))
        return lll_fail(err, LLL_ERR_ARGUMENT, "%s: is the file that is "
                        "copied; choose another name for the copy", path);
    gguf_writer_init(&out);
    for (size_t i = 0; i < file->n_values; i++)
        gguf_copy_value(&out, &file->values[i]);
    for (size_t i = 0; i < file->n_tensors; i++) {
        const gguf_tensor *tensor = &file->tensors[i];
        gguf_add_named(&out, tensor->name, tensor->type, tensor->dims,
                       tensor->n_dims, tensor->data);
    }
    lll_status status = gguf_write(&out, path, err);
    gguf_writer_free(&out);
    return status;
}
// @end copy
