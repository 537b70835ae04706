/* Whether what a checkpoint would hold is worth keeping: numbers, all of them. */
#include "train/fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* All ones in the exponent of a float: an infinity, or no number. Counted, so that compilers make vectors of it. */
static bool are_finite(const float *values, size_t count)
{
    const uint32_t exponent = 0x7f800000;
    size_t odd = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        odd += (bits & exponent) == exponent;
    }
    return odd == 0;
}

static void find_weight(const struct params *params, const float *host, char *where, size_t size)
{
    for (size_t i = 0; i < params->count && !where[0]; i++) {
        const struct param *param = &params->list[i];
        if (!are_finite(host + param->offset, param->count))
            snprintf(where, size, "%s/%s", strata_layer_name(param->layer), param->name);
    }
}

bool strata_fit_find_odd(struct fit *f, char *where, size_t size, strata_error *err)
{
    const struct params *params = f->trainer.params;
    const struct training *t = f->training;
    const size_t bytes = params->total * sizeof(float);
    float *host = strata_alloc(params->total, sizeof *host, err);
    where[0] = '\0';
    const bool ok = host && strata_buffer_read(f->trainer.device, QUEUE_COMPUTE, params->weights, 0, bytes, host, err);
    if (ok) find_weight(params, host, where, size);
    for (size_t i = 0; ok && i < t->count && !where[0]; i++)
        if (t->variables[i].values && !are_finite(t->variables[i].values, strata_saved_variable_count(&t->variables[i])))
            snprintf(where, size, "the optimizer's %s", t->variables[i].name);
    free(host);
    return ok;
}
