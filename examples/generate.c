// generate MODEL.gguf TEXT: let a model go on with a text.
#include <lll/session.h>
#include <stdio.h>

static void show(void *file, const char *text, size_t n_bytes)
{
    fwrite(text, 1, n_bytes, file);
}

int main(int argc, char **argv)
{
    session s;
    lll_error err = {.text = "usage: generate MODEL.gguf TEXT"};
    generate_options how = generate_defaults();
    how.on_text = show;
    how.context = stdout;
    if (argc != 3 || session_open(&s, argv[1], NULL, &err) != LLL_OK
        || session_generate(&s, argv[2], &how, NULL, &err) != LLL_OK)
        return fprintf(stderr, "%s\n", err.text), 1;
    session_close(&s);
}
