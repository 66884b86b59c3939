// Gives a fuzzer's target the files that it is called with, one after
// another: what was found once, without the fuzzer.
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n_bytes);

static int replay(const char *path)
{
    static unsigned char bytes[1 << 20];
    FILE *in = fopen(path, "rb");
    if (in == NULL) {
        perror(path);
        return 1;
    }
    size_t n = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    return LLVMFuzzerTestOneInput(bytes, n);
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    fprintf(stderr, "%d files replayed\n", argc - 1);
    return failed;
}
