#include "data/npy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { MOST_HEADER = 1 << 16 };

static const struct kind {
    const char *descr;
    struct number number;
} kinds[] = {
    { "<f4", { NUMBER_FLOAT, 4, false } },    { "<f8", { NUMBER_FLOAT, 8, false } },
    { "|u1", { NUMBER_UNSIGNED, 1, false } }, { "|b1", { NUMBER_UNSIGNED, 1, false } },
    { "<i4", { NUMBER_SIGNED, 4, false } },   { "<i8", { NUMBER_SIGNED, 8, false } },
};

size_t strata_npy_length_size(const unsigned char start[NPY_START], const char *what, strata_error *err)
{
    if (memcmp(start, "\x93NUMPY", 6) == 0 && start[6] >= 1 && start[6] <= 3) return start[6] == 1 ? 2 : 4;
    strata_fail(err, STRATA_EFILE, "%s: not a .npy file of version 1 to 3", what);
    return 0;
}

bool strata_npy_length(const unsigned char *bytes, size_t length_size, size_t *length, const char *what, strata_error *err)
{
    *length = 0;
    for (size_t i = length_size; i-- > 0;) *length = *length << 8 | bytes[i];
    return *length <= MOST_HEADER
           || strata_fail(err, STRATA_EFILE, "%s: its header claims %zu bytes: damaged", what, *length);
}

/* What follows 'key': in the header, a Python dict of known form; NULL when it is not there. */
static const char *value_of(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    if (!at) return NULL;
    for (at += strlen(key); isspace((unsigned char)*at);) at++;
    return at;
}

static bool parse_kind(struct npy *npy, const char *header, const char *what, strata_error *err)
{
    const char *at = value_of(header, "'descr':");
    if (!at) return strata_fail(err, STRATA_EFILE, "%s: its header has no type", what);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if ((*at != '\'' && *at != '"') || strncmp(at + 1, kinds[i].descr, 3) != 0 || at[4] != *at) continue;
        npy->number = kinds[i].number;
        return true;
    }
    return strata_fail(err, STRATA_EFILE, "%s: its type is %.*s; Strata reads <f4, <f8, |u1, |b1, <i4 and <i8", what,
                       (int)strcspn(at, ",}"), at);
}

/* "(2, 3)", "(5,)" or "()". */
static bool parse_shape(struct npy *npy, const char *header, const char *what, strata_error *err)
{
    const char *at = value_of(header, "'shape':");
    npy->rank = 0;
    if (!at || *at++ != '(') return strata_fail(err, STRATA_EFILE, "%s: its header has no shape", what);
    while (*at != ')') {
        char *end;
        if (!isdigit((unsigned char)*at) || npy->rank > STRATA_MAX_RANK)
            return strata_fail(err, STRATA_EFILE, "%s: its shape is not one of at most %d extents", what, STRATA_MAX_RANK + 1);
        npy->dim[npy->rank++] = strtoull(at, &end, 10);
        for (at = end; *at == ',' || *at == ' ';) at++;
    }
    return true;
}

bool strata_npy_parse(const char *header, struct npy *npy, const char *what, strata_error *err)
{
    const char *fortran = value_of(header, "'fortran_order':");
    if (!parse_kind(npy, header, what, err) || !parse_shape(npy, header, what, err)) return false;
    return (fortran && strncmp(fortran, "False", 5) == 0)
           || strata_fail(err, STRATA_EFILE, "%s: it is in Fortran order; save numpy.ascontiguousarray of it", what);
}
