/* A fit within a limit of device memory: what it will run, and what it holds besides. */
#include "train/fit.h"
#include "train/memory.h"
#include "train/training.h"
#include "train/updater_priv.h"

/* For what ops need between their launches outside of plans: norms, sums of parts. */
enum { SMALL = 512 << 10 };

static size_t own_share(const struct fit *f, size_t batch)
{
    const strata_fit_config *c = f->config;
    struct share share = f->trainer.share;
    size_t first, count;
    if (c->balance == STRATA_BALANCE_SHARES && c->share_count == (size_t)share.size) share.speeds = c->shares;
    share.grain = f->exact ? f->trainer.grain : 1;
    strata_share(&share, batch, &first, &count);
    return count;
}

/* Weights, gradients, the optimizer's numbers of the slices that this rank updates, and the sums of an exact run. */
static size_t held(const struct fit *f)
{
    const struct params *p = f->trainer.params;
    size_t most, floats = p->total + p->trainable;
    const struct buffer *parts = strata_fit_parts(f, &most);
    const size_t slots = (size_t)strata_slot_kinds(f->training).count;
    floats += slots * (p->trainable / (size_t)f->trainer.ranks + p->bucket_count);
    if (f->config->accumulate > 1 && !f->exact) floats += p->trainable;
    return floats * sizeof(float) + (parts ? strata_buffer_size(parts) : 0) + SMALL;
}

static void add(struct memory_use *uses, size_t *count, const struct fit *f, struct passes *passes, size_t batch, bool training)
{
    const size_t last = passes->data->count % batch, sizes[] = { batch, last };
    for (int i = 0; i < 2; i++)
        if (sizes[i] > 0)
            uses[(*count)++] = (struct memory_use){ .count = own_share(f, sizes[i]), .global = sizes[i], .training = training,
                                                    .parts = training ? f->config->accumulate : 1,
                                                    .measure = strata_memory_measure_passes, .of = passes };
}

bool strata_fit_limit(struct fit *f, strata_error *err)
{
    enum { MOST = 6 };
    const strata_fit_config *c = f->config;
    struct memory_use uses[MOST];
    size_t count = 0;
    const bool summed = c->accumulate > 1 || f->exact; /* anyway */
    const struct memory_rest rest = { .bytes = held(f), .split = summed ? 0 : f->trainer.params->trainable * sizeof(float),
                                      .grain = f->exact ? f->trainer.grain : 0, .together = f->trainer.together };
    add(uses, &count, f, &f->passes, c->batch_size, true);
    if (c->cache_frozen) add(uses, &count, f, &f->passes, c->batch_size, false);
    if (f->validation)
        add(uses, &count, f, &f->validation_passes, strata_batch_size_or(c->validation_batch_size, c->batch_size), false);
    if (!strata_memory_plan(&f->trainer, uses, count, &rest, err)) return false;
    if (f->exact && f->trainer.memory.limit > 0) f->trainer.together = f->trainer.memory.most > f->trainer.grain;
    if (f->trainer.memory.limit > 0) f->passes.pool = f->validation_passes.pool = &f->trainer.memory.pool;
    return true;
}

bool strata_fit_is_divided(const struct fit *f)
{
    const size_t most = f->trainer.memory.most;
    return f->config->accumulate > 1 || (most > 0 && most < own_share(f, f->config->batch_size));
}
