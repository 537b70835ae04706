/* predict and extract: outputs for every sample, on every rank. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/model.h"
#include "train/trainer.h"

/* What is wanted of each batch: count views of the plan, of `size` floats a sample. */
struct outputs {
    const strata_layer *const *layers; /* NULL: the model's output alone */
    size_t count;
    size_t *size;
    float **values; /* each for all samples */
};

static bool make_outputs(struct outputs *out, strata_model *model, const strata_data *data, strata_error *err)
{
    struct shape shape;
    out->size = strata_alloc(out->count, sizeof *out->size, err);
    if (!out->size) return false;
    for (size_t i = 0; i < out->count; i++) {
        if (!strata_model_output_for(model, out->layers ? out->layers[i] : NULL, &data->x.shape, &shape, err))
            return false;
        out->size[i] = strata_shape_count(&shape);
        out->values[i] = strata_alloc(data->count * out->size[i], sizeof(float), err);
        if (!out->values[i]) return false;
    }
    return true;
}

/* ---- a rank's slices ------------------------------------------------------------------------------------------------ */

static bool read_outputs(const struct trainer *t, const struct plan *plan, const struct outputs *out, size_t first,
                         size_t n, strata_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < out->count; i++) {
        const struct view view = out->layers ? strata_plan_extracted(plan, i) : strata_plan_output(plan);
        ok = strata_buffer_read(t->device, QUEUE_COMPUTE, view.buffer, view.offset * sizeof(float),
                                n * out->size[i] * sizeof(float), out->values[i] + first * out->size[i], err);
    }
    return ok;
}

struct cached {
    struct plan *plan;
    size_t n;
};

/* Full batches share a plan; only the last one is smaller. */
static bool plan_for(const struct trainer *t, const strata_data *data, const struct outputs *out, size_t n,
                     struct cached *cached, strata_error *err)
{
    const struct plan_config config = { .n = n, .shape = data->x.shape, .input = data->x.type, .input_scale = data->scale,
                                        .extract = out->layers, .extract_count = out->layers ? out->count : 0 };
    if (cached->plan && cached->n == n) return true;
    strata_plan_free(cached->plan);
    *cached = (struct cached){ strata_plan_create(t->model, &config, err), n };
    return cached->plan != NULL;
}

static bool run_slices(const struct trainer *t, const strata_data *data, size_t batch, const struct outputs *out,
                       strata_error *err)
{
    const size_t sample = strata_shape_count(&data->x.shape) * strata_type_size(data->x.type);
    struct cached cached = { 0 };
    void *x = strata_alloc(batch < data->count ? batch : data->count, sample, err);
    bool ok = x != NULL;
    for (size_t from = 0; ok && from < data->count; from += batch) {
        const size_t global = data->count - from < batch ? data->count - from : batch;
        size_t first, n;
        strata_share(&t->share, global, &first, &n);
        if (n == 0) continue;
        ok = plan_for(t, data, out, n, &cached, err) && strata_data_read(data, from + first, n, x, err)
             && strata_buffer_write(t->device, QUEUE_COMPUTE, strata_plan_input(cached.plan), 0, n * sample, x, err)
             && strata_run_play(strata_plan_run(cached.plan), err)
             && read_outputs(t, cached.plan, out, from + first, n, err);
    }
    strata_plan_free(cached.plan);
    free(x);
    return ok;
}

/* ---- all ranks' slices ------------------------------------------------------------------------------------------------ */

static bool share_slices(const struct trainer *t, size_t samples, size_t batch, const struct outputs *out,
                         strata_error *err)
{
    bool ok = true;
    for (size_t from = 0; ok && t->ranks > 1 && from < samples; from += batch) {
        const size_t global = samples - from < batch ? samples - from : batch;
        for (int rank = 0; ok && rank < t->ranks; rank++) {
            struct share share = t->share;
            size_t first, n;
            share.rank = rank;
            strata_share(&share, global, &first, &n);
            for (size_t i = 0; ok && n > 0 && i < out->count; i++)
                ok = strata_comm_broadcast(t->comm, out->values[i] + (from + first) * out->size[i],
                                           n * out->size[i] * sizeof(float), rank, err);
        }
    }
    return ok;
}

static bool run(strata_model *model, strata_context *context, const strata_data *data, size_t batch_size,
                struct outputs *out, strata_error *err)
{
    struct trainer t = { 0 };
    const size_t batch = strata_batch_size_or(batch_size, 32);
    for (size_t i = 0; i < out->count; i++) out->values[i] = NULL;
    bool ok = strata_trainer_open(&t, model, context, data, false, err);
    if (ok) {
        ok = make_outputs(out, model, data, err) && run_slices(&t, data, batch, out, err);
        ok = strata_comm_agree(t.comm, ok, err) && share_slices(&t, data->count, batch, out, err);
    }
    ok = strata_trainer_close(&t, ok, err);
    for (size_t i = 0; !ok && i < out->count; i++) {
        free(out->values[i]);
        out->values[i] = NULL;
    }
    free(out->size);
    return ok;
}

bool strata_model_predict(strata_model *model, strata_context *context, const strata_data *data, size_t batch_size,
                          float **values, strata_error *err)
{
    struct outputs out = { .count = 1, .values = values };
    return run(model, context, data, batch_size, &out, err);
}

bool strata_model_extract(strata_model *model, strata_context *context, const strata_data *data, size_t batch_size,
                          const strata_layer *const *layers, size_t count, float **values, strata_error *err)
{
    struct outputs out = { .layers = layers, .count = count, .values = values };
    if (count == 0) return strata_fail(err, STRATA_EVALUE, "no layer was named whose output is wanted");
    return run(model, context, data, batch_size, &out, err);
}
