#include "base/text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(text, grows_and_is_handed_over)
{
    strata_error err = { 0 };
    struct text text = { 0 };
    for (int i = 0; i < 1000; i++) strata_text_add(&text, "%d,", i);
    strata_text_add(&text, "%2000s", "x");
    strata_text_add_bytes(&text, "a\0b", 3);
    cr_assert_eq(text.length, 10 + 90 * 2 + 900 * 3 + 1000 + 2000 + 3);
    char *taken = strata_text_take(&text, &err);
    cr_assert(strncmp(taken, "0,1,2,3,", 8) == 0);
    cr_assert_null(text.data);
    free(taken);
}

Test(text, nothing_added_is_an_empty_text)
{
    strata_error err = { 0 };
    struct text text = { 0 };
    char *taken = strata_text_take(&text, &err);
    cr_assert_str_eq(taken, "");
    free(taken);
}

Test(text, the_nearest_name_is_suggested_and_a_far_one_is_not)
{
    static const char *const names[] = { "Adam", "SGD", "RMSprop", "learning_rate" };
    cr_assert_str_eq(strata_nearest("Adm", names, 4), "Adam");
    cr_assert_str_eq(strata_nearest("RMSProp", names, 4), "RMSprop");
    cr_assert_str_eq(strata_nearest("learning-rate", names, 4), "learning_rate");
    cr_assert_null(strata_nearest("epsilon", names, 4));
    cr_assert_null(strata_nearest("Adam", names, 0));
    char far[300];
    memset(far, 'a', sizeof far);
    far[sizeof far - 1] = '\0';
    cr_assert_null(strata_nearest(far, names, 4));
}

Test(text, globs_reach_across_slashes)
{
    cr_assert(strata_glob("*", "base/conv2d"));
    cr_assert(strata_glob("base/*", "base/block/conv2d"));
    cr_assert(strata_glob("conv2d_?", "conv2d_1"));
    cr_assert_not(strata_glob("conv2d_?", "conv2d"));
    cr_assert(strata_glob("[ab]1", "b1"));
}

Test(text, reads_sizes)
{
    static const struct {
        const char *text;
        size_t bytes; /* 0: none */
    } cases[] = { { "2GiB", (size_t)2 << 30 }, { "1.5MiB", 1572864 }, { "3 KB", 3000 }, { "65536", 65536 }, { "7B", 7 },
                  { "", 0 },                   { "GiB", 0 },          { "-1MiB", 0 },  { "2gigs", 0 },     { "0", 0 },
                  { "1e30GiB", 0 },            { "nan", 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t bytes = 0;
        cr_assert_eq(strata_parse_bytes(cases[i].text, &bytes), cases[i].bytes > 0, "%s", cases[i].text);
        cr_assert_eq(bytes, cases[i].bytes, "%s: %zu", cases[i].text, bytes);
    }
}
