#include "ops/axes.h"

#include <assert.h>
#include <stdio.h>

/* At most three runs of neighbouring axes of one kind are found among STRATA_MAX_RANK axes. */
enum { MAX_RUNS = 3 };

struct runs {
    int count;
    size_t extent[MAX_RUNS], stride[MAX_RUNS];
};

static size_t product(const struct runs *runs)
{
    size_t product = 1;
    for (int i = 0; i < runs->count; i++) product *= runs->extent[i];
    return product;
}

/* Neighbouring axes of one kind are one axis. Axes of extent 1 are left out. */
static void collect(const struct shape *shape, unsigned kept, bool wanted, struct runs *runs)
{
    size_t stride[STRATA_MAX_RANK], count = 1;
    bool joins = false;
    for (int i = shape->rank - 1; i >= 0; i--) {
        stride[i] = count;
        count *= shape->dim[i];
    }
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] == 1) continue;
        if ((bool)(kept >> i & 1) != wanted) {
            joins = false;
            continue;
        }
        if (!joins) {
            assert(runs->count < MAX_RUNS);
            runs->extent[runs->count++] = 1;
        }
        runs->extent[runs->count - 1] *= shape->dim[i];
        runs->stride[runs->count - 1] = stride[i];
        joins = true;
    }
}

static int write_runs(const struct runs *runs, char letter, char *buffer, size_t size)
{
    int used = snprintf(buffer, size, " -D%cN=%d", letter, runs->count);
    for (int i = 0; i < runs->count; i++) {
        used += snprintf(buffer + used, size - (size_t)used, " -D%cS%d=%zuul", letter, i, runs->stride[i]);
        if (i > 0)
            used += snprintf(buffer + used, size - (size_t)used, " -D%cD%d=%zuu", letter, i, runs->extent[i]);
    }
    return used;
}

void strata_op_axes(const struct shape *shape, unsigned kept, struct axes *axes)
{
    struct runs keeps = { 0 }, overs = { 0 };
    collect(shape, kept, true, &keeps);
    collect(shape, kept, false, &overs);
    axes->groups = product(&keeps);
    axes->size = product(&overs);
    axes->last_kept = keeps.count > 0 && keeps.stride[keeps.count - 1] == 1;
    const int used = write_runs(&keeps, 'K', axes->options, sizeof axes->options);
    write_runs(&overs, 'O', axes->options + used, sizeof axes->options - (size_t)used);
}
