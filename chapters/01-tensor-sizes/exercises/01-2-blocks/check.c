#include "common/size.h"
#include "tools/exercise.h"

static int64_t bytes_of(dtype type, uint64_t rows, uint64_t columns)
{
    size_t n = 0;
    tensor_size(type, (const uint64_t[]){rows, columns}, 2, SIZE_MAX, NULL,
                &n, NULL);
    return (int64_t)n;
}

int main(int argc, char **argv)
{
    exercise_sheet(argc, argv);
    int rows = 10 * (int)exercise_pick(2, 9);
    int columns = 256 * (int)exercise_pick(2, 5);
    static const dtype types[] = {DTYPE_F16, DTYPE_Q8_0, DTYPE_Q4_0,
                                  DTYPE_Q6_K};
    for (int i = 0; i < 4; i++)
        exercise_whole(dtype_name((uint32_t)types[i]),
                       bytes_of(types[i], (uint64_t)rows, (uint64_t)columns),
                       "How many bytes does a tensor [%d, %d] take as %s?",
                       rows, columns, dtype_name((uint32_t)types[i]));

    int row = (int)exercise_pick(2, rows - 1);
    exercise_whole("offset", bytes_of(DTYPE_Q4_0, (uint64_t)row,
                                      (uint64_t)columns),
                   "As Q4_0, how many bytes behind the first number of the "
                   "tensor does row %d begin, if the first is row 0?", row);

    int bits = (int)exercise_pick(2, 7);
    int block = 64 << exercise_pick(0, 1);
    exercise_number("invented", bits + 32.0 / block, 1e-6,
                    "A new type has blocks of %d numbers, %d bits for each, "
                    "a scale in F16 and a minimum in F16. How many bits a "
                    "number is that?", block, bits);

    int odd = 16 * (2 * (int)exercise_pick(1, 9) + 1);
    int whole = 32 * (int)exercise_pick(2, 9);
    bool first = exercise_pick(0, 1) == 1;
    exercise_choice("fits", first ? "A" : "B", "A, B, both",
                    "Which can be stored as Q8_0, A = [%d, %d] or B = [%d, "
                    "%d]?", first ? odd : whole, first ? whole : odd,
                    first ? whole : odd, first ? odd : whole);
    return exercise_end();
}
