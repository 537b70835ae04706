/* Training on the cached outputs of what is frozen. */
#include "train/fit.h"

#include <stdio.h>

#include "data/dataset.h"

/* Whether the epochs that are left look at all samples more than once. */
static bool pays(const struct fit *f)
{
    const strata_fit_config *c = f->config;
    const double epochs = (double)c->epochs - (double)f->epoch;
    const double samples = c->steps_per_epoch ? epochs * (double)c->steps_per_epoch * (double)c->batch_size
                                              : epochs * (double)f->data->count;
    return c->cache_frozen && !c->exact && f->updater && !f->data->augment && samples >= 2 * (double)f->data->count;
}

static void note(const struct fit *f, const char *text)
{
    if (f->trainer.rank == 0 && f->config->note) f->config->note(f->config->note_context, false, text);
}

/* On all ranks or on none. *folder NULL: in memory. */
static bool open_caches(struct fit *f, const struct shape *shape, const char *folder, strata_error *err)
{
    strata_error why = { 0 };
    bool ok = strata_frozen_cache_open(&f->cache, f->data, shape, folder, &why)
              && (!f->validation || strata_frozen_cache_open(&f->validation_cache, f->validation, shape, folder, &why));
    double failed = !ok;
    if (!strata_comm_max(f->trainer.comm, &failed, 1, err)) return false;
    if (failed == 0) return true;
    char text[700];
    snprintf(text, sizeof text, "what is frozen is computed in every epoch, for its outputs cannot be kept: %.500s",
             ok ? "another rank has no room" : why.message);
    note(f, text);
    strata_frozen_cache_close(&f->cache);
    strata_frozen_cache_close(&f->validation_cache);
    return true;
}

static bool asked(void *context)
{
    const strata_fit_config *c = context;
    return c->stop_asked && c->stop_asked(c->stop_context);
}

static bool fill(struct fit *f, struct frozen_cache *cache, const strata_data *data, struct passes *passes, strata_error *err)
{
    struct stopping stopping = { .asked = asked, .context = (void *)f->config };
    if (!data || f->interrupted) return true;
    if (!strata_trainer_prefix(&f->trainer, data, f->config->batch_size, f->objective->at_logits,
                               strata_shape_count(&cache->data.x.shape), cache->data.x.values, &stopping, err))
        return false;
    f->interrupted = stopping.stopped;
    strata_passes_free(passes); /* those made so far begin at the input */
    passes->data = &cache->data;
    passes->part = PLAN_REST;
    return true;
}

bool strata_fit_cache(struct fit *f, strata_error *err)
{
    struct shape shape;
    const strata_layer *layer = NULL;
    char text[400];
    if (!pays(f)) return true;
    if (!strata_plan_prefix(f->trainer.model, f->objective->at_logits, &shape, &layer, err)) return false;
    if (shape.rank < 0) return true;
    const double samples = (double)f->data->count + (f->validation ? (double)f->validation->count : 0);
    const double bytes = samples * (double)strata_shape_count(&shape) * sizeof(float);
    const bool fits = bytes <= (double)f->config->cache_bytes;
    if (!fits && !f->config->run_dir) {
        note(f, "what is frozen is computed in every epoch: its outputs need more memory than cache_budget, and there is no run folder");
        return true;
    }
    if (!open_caches(f, &shape, fits ? NULL : f->config->run_dir, err)) return false;
    if (!f->cache.data.x.values) return true;
    snprintf(text, sizeof text, "frozen up to %.200s: its outputs for %.0f samples, %.1f MiB, are computed once and kept in %s",
             strata_layer_name(layer), samples, bytes / 1048576, fits ? "memory" : "a file");
    note(f, text);
    return fill(f, &f->cache, f->data, &f->passes, err)
           && fill(f, &f->validation_cache, f->validation, &f->validation_passes, err);
}
