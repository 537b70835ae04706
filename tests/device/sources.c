#include "device/sources.h"

#include <criterion/criterion.h>
#include <string.h>

Test(sources, are_whole_and_include_nothing)
{
    for (const struct strata_kernel_source *s = strata_kernel_sources; s->name; s++) {
        cr_assert_not_null(s->source, "%s", s->name);
        cr_assert_null(strstr(s->source, "#include"), "%s still includes a file", s->name);
        cr_assert_eq(s->source[strlen(s->source) - 1], '\n', "%s does not end in a newline", s->name);
    }
}
