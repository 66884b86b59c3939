// replaces place() in common/gguf.c; caught by tests/test_gguf.c
//
// From the end of the lists to the next multiple of the alignment, and from a
// multiple to the one behind it: padding where none is needed.

// @begin wrong-always-padding
static lll_status place(gguf_reader *r, gguf_file *file)
{
    size_t alignment = file->alignment, rest = alignment - 1;
    size_t start = r->at + (alignment - r->at % alignment);
    // @end wrong-always-padding
    size_t room = r->n_bytes > start ? r->n_bytes - start : 0;
    for (size_t i = 0; i < file->n_tensors; i++) {
        gguf_tensor *tensor = &file->tensors[i];
        uint64_t offset;
        size_t at = gguf_offset_at(r, tensor, &offset);
        r->name = tensor->name;
        if ((offset & rest) != 0)
            return gguf_fail_at(r, LLL_ERR_FORMAT, at, "its data is at "
                                "offset %" PRIu64 ", expected a multiple of "
                                "the alignment, %" PRIu32, offset,
                                file->alignment);
        if (offset > room || tensor->n_bytes > room - offset)
            return gguf_fail_at(r, LLL_ERR_FORMAT, at, "its %zu bytes begin "
                                "at offset %" PRIu64 " of the data, of which "
                                "the file holds %zu bytes; it is cut off or "
                                "damaged: fetch it again", tensor->n_bytes,
                                offset, room);
        tensor->data = r->bytes + start + (size_t)offset;
    }
    return LLL_OK;
}
