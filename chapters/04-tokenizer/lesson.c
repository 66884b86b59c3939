#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// @begin lesson
static const char sentence[] =
    "It has read a great deal, and it isn't tired: na\u00efve \U0001f999, "
    "12 words.";

// Take a sentence apart, and put it together again from the numbers alone.
lll_status show_lesson(const tokenizer *words, lll_error *err)
{
    text_span text = {sentence, sizeof sentence - 1};
    id_list list;
    printf("%s\n\n", sentence);
    lll_status status = show_tokens(words, text, 0, err);
    if (status == LLL_OK)
        status = encode(words, text, 0, &list, err);
    if (status != LLL_OK)
        return status;

    char back[2 * sizeof sentence];
    size_t n = tokenizer_decode(words, list.ids, list.n_ids, true, back,
                                sizeof back);
    free(list.ids);
    if (n != text.n_bytes || memcmp(back, sentence, n) != 0)
        return lll_fail(err, LLL_ERR_FORMAT, "the tokens of the sentence "
                        "give %zu other bytes, expected its own %zu", n,
                        text.n_bytes);
    printf("\nPut back together from the numbers: %zu bytes, each as it "
           "was.\n", n);
    printf("This vocabulary of %zu tokens was learnt from a page of English; "
           "words that it\nhas not met fall into letters, and the llama "
           "into the four bytes of its UTF-8.\n\n"
           "./chapter-04/run --steps \" the other\"    shows the joining\n"
           "./chapter-04/run --train data/tiny.txt --vocab-size 300    and "
           "the learning\n", words->n_tokens);
    return LLL_OK;
}
// @end lesson
