/* Accumulation: a rank's share of a batch runs as several parts, one after the other, whose gradients are added. Memory for
 * activations is that of one part; the sum is that of the whole. */
#include "train/fit.h"

#include <stdlib.h>

#include "base/memory.h"
#include "ops/map.h"
#include "train/memory.h"

struct accumulation {
    struct buffer *sum; /* owned: of the gradients of the parts so far */
    struct run *run;    /* owned */
};

static bool make(struct fit *f, strata_error *err)
{
    struct accumulation *a = f->accumulation = strata_alloc(1, sizeof *a, err);
    const size_t trainable = f->trainer.params->trainable;
    if (!a) return false;
    if (!strata_fit_refuse_synchronized(f, "with accumulate, or a limit of memory, the parts of a batch run one after the other", err)) return false;
    a->sum = strata_buffer_create(f->trainer.device, (trainable ? trainable : 1) * sizeof(float), err);
    return a->sum && (a->run = strata_run_immediate(f->trainer.device, QUEUE_COMPUTE, err));
}

bool strata_fit_begin_accumulation(struct fit *f, strata_error *err)
{
    return strata_comm_agree(f->trainer.comm, f->exact || !strata_fit_is_divided(f) || make(f, err), err);
}

void strata_fit_end_accumulation(struct fit *f)
{
    struct accumulation *a = f->accumulation;
    if (!a) return;
    strata_run_free(a->run);
    strata_buffer_free(a->sum);
    free(a);
    f->accumulation = NULL;
}

size_t strata_fit_at_once(const struct fit *f, size_t first, size_t count)
{
    if (f->exact) return strata_fit_exact_most(f, first, count);
    return f->accumulation ? strata_memory_at_once(&f->trainer.memory, count, f->config->accumulate) : count;
}

/* Sums of the parts before the last gather in `sum`; the last brings them back. */
static bool add(const struct fit *f, bool first, bool last, strata_error *err)
{
    const size_t count = f->trainer.params->trainable;
    const struct view g = { .buffer = f->trainer.params->gradients, .offset = 0, .shape = { 1, { count } } };
    const struct view sum = { .buffer = f->accumulation->sum, .offset = 0, .shape = { 1, { count } } };
    if (count == 0 || (first && last)) return true;
    if (first) return strata_op_copy(f->accumulation->run, &g, &sum, err);
    return strata_op_add(f->accumulation->run, &sum, &g, last ? &g : &sum, err);
}

bool strata_fit_accumulate(struct fit *f, const struct batch *batch, double scale, strata_error *err)
{
    struct pass *pass;
    if (batch->count == 0) return strata_fit_play(f, batch, scale, &pass, err);
    const size_t size = strata_fit_at_once(f, batch->first, batch->count);
    bool ok = true;
    for (size_t at = 0; ok && at < batch->count; at += size) {
        const size_t left = batch->count - at;
        ok = strata_fit_play_part(f, batch, at, left < size ? left : size, scale, &pass, err)
             && add(f, at == 0, left <= size, err);
    }
    return ok && (f->trainer.ranks == 1 || strata_device_finish(f->trainer.device, err));
}
