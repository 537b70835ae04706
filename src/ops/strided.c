#include "ops/strided.h"

#include <stdio.h>

#include "ops/map.h"

void strata_op_strides(const struct shape *shape, size_t strides[STRATA_MAX_RANK])
{
    size_t count = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        strides[i] = count;
        count *= shape->dim[i];
    }
}

/* Axes of extent 1 are left out; neighbours that continue each other on both sides become one. */
static struct strided simplify(const struct strided *box)
{
    struct strided simple = { 0 };
    for (int i = 0; i < box->rank; i++) {
        if (box->dim[i] == 1) continue;
        const int last = simple.rank - 1;
        if (last >= 0 && simple.from[last] == box->from[i] * box->dim[i]
            && simple.to[last] == box->to[i] * box->dim[i]) {
            simple.dim[last] *= box->dim[i];
            simple.from[last] = box->from[i];
            simple.to[last] = box->to[i];
            continue;
        }
        simple.dim[simple.rank] = box->dim[i];
        simple.from[simple.rank] = box->from[i];
        simple.to[simple.rank++] = box->to[i];
    }
    if (simple.rank == 0) simple = (struct strided){ .rank = 1, .dim = { 1 }, .from = { 1 }, .to = { 1 } };
    return simple;
}

bool strata_op_strided(struct run *run, const struct strided *box, const struct view *x, const struct view *y,
                       strata_error *err)
{
    char options[600];
    struct strided s = simplify(box);
    const int last = s.rank - 1;
    const bool row = s.from[last] == 1 && s.to[last] == 1;
    const size_t width = row ? (size_t)strata_op_vector_width(run, s.dim[last]) : 1;
    size_t n = 1;
    s.dim[last] /= width;
    s.from[last] *= width;
    s.to[last] *= width;
    int used = snprintf(options, sizeof options, "-DVW=%zu -DRANK=%d", width, s.rank);
    for (int i = 0; i < s.rank; i++) {
        n *= s.dim[i];
        used += snprintf(options + used, sizeof options - (size_t)used, " -DD%d=%zuu -DF%d=%zuul -DT%d=%zuul",
                         i, i ? s.dim[i] : 0, i, s.from[i], i, s.to[i]);
    }
    const struct arg args[] = { arg_view(x), arg_view(y), { 0 } };
    return strata_op_map(run, "strided:copy", options, args, n, err);
}

static size_t offset_of(const size_t at[STRATA_MAX_RANK], const size_t strides[STRATA_MAX_RANK], int rank)
{
    size_t offset = 0;
    for (int i = 0; i < rank; i++) offset += at[i] * strides[i];
    return offset;
}

bool strata_op_crop(struct run *run, const struct view *large, const size_t at[STRATA_MAX_RANK],
                    const struct view *small, strata_error *err)
{
    struct strided box = { .rank = small->shape.rank };
    struct view from = *large;
    for (int i = 0; i < box.rank; i++) box.dim[i] = small->shape.dim[i];
    strata_op_strides(&large->shape, box.from);
    strata_op_strides(&small->shape, box.to);
    from.offset += offset_of(at, box.from, box.rank);
    return strata_op_strided(run, &box, &from, small, err);
}

bool strata_op_place(struct run *run, const struct view *small, const size_t at[STRATA_MAX_RANK],
                     const struct view *large, strata_error *err)
{
    struct strided box = { .rank = small->shape.rank };
    struct view to = *large;
    for (int i = 0; i < box.rank; i++) box.dim[i] = small->shape.dim[i];
    strata_op_strides(&small->shape, box.from);
    strata_op_strides(&large->shape, box.to);
    to.offset += offset_of(at, box.to, box.rank);
    return strata_op_strided(run, &box, small, &to, err);
}
