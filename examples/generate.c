// generate MODEL.gguf TEXT: let a model go on with a text.
#include <stdio.h>

#include <lll/generate.h>
#include <lll/session.h>

static void show(void *out, const char *text, size_t n_bytes)
{
    fwrite(text, 1, n_bytes, out);
}

int main(int argc, char **argv)
{
    session s = {0};
    session_options how = session_defaults();
    generate_options say = {.sampling = sampler_defaults(),
                            .max_tokens = 40, .on_text = show,
                            .context = stdout};
    generate_report report;
    lll_error err = {.text = "usage: generate MODEL.gguf TEXT"};
    bool good = argc == 3 && session_open(&s, argv[1], &how, &err) == LLL_OK
        && session_generate(&s, argv[2], &say, &report, &err) == LLL_OK;
    if (!good)
        fprintf(stderr, "%s\n", err.text);
    session_close(&s);
    return good ? 0 : 1;
}
