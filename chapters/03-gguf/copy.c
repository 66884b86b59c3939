#include "common/file.h"
#include "common/gguf_split.h"
#include "common/gguf_write.h"

#include "show.h"

// @begin copy-same
// Replacing what we read would leave no original to compare with.
static lll_status refuse_same(const gguf_file *file, const char *path,
                              lll_error *err)
{
    bool same = file_is_same(file->path, path);
    for (size_t i = 0; i < file->n_others; i++)
        same = same || file_is_same(file->others[i].path, path);
    if (!same)
        return LLL_OK;
    return lll_fail(err, LLL_ERR_ARGUMENT, "%s: is the file that is copied; "
                    "choose another name for the copy", path);
}
// @end copy-same

// @begin copy
lll_status copy_file(const gguf_file *file, const char *path, lll_error *err)
{
    gguf_writer out;
    lll_status status = refuse_same(file, path, err);
    if (status != LLL_OK)
        return status;
    gguf_writer_init(&out);
    for (size_t i = 0; i < file->n_values; i++) {
        gguf_string key = file->values[i].key;
        // The copy is in one file, and must not say that it is a part.
        if (!gguf_split_is_key(key))
            gguf_copy_value(&out, &file->values[i]);
    }
    for (size_t i = 0; i < file->n_tensors; i++) {
        const gguf_tensor *tensor = &file->tensors[i];
        gguf_add_named(&out, tensor->name, tensor->type, tensor->dims,
                       tensor->n_dims, tensor->data);
    }
    status = gguf_write(&out, path, err);
    gguf_writer_free(&out);
    return status;
}
// @end copy
