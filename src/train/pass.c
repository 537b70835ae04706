#include "train/pass.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "layers/layer.h"
#include "layers/regularizer.h"
#include "model/model.h"
#include "train/augment.h"
#include "train/training.h"

/* ---- the loss in the plan ---------------------------------------------------------------------------------------- */

/* The weights' penalties as Keras counts them: of what trains. */
static bool emit_penalties(const struct pass *pass, struct run *run, strata_error *err)
{
    const struct params *params = pass->of->params;
    const struct view none = { 0 };
    bool ok = strata_run_zero(run, pass->penalty.buffer, 0, sizeof(float), err);
    for (size_t i = 0; ok && i < params->trainable_params; i++) {
        const struct param *param = &params->list[i];
        if (!param->regularizer || !param->regularizer->class) continue;
        const struct regularizer_class *class = (const struct regularizer_class *)param->regularizer->class;
        const struct view w = strata_param_view(params, param);
        ok = class->apply(param->regularizer->config, run, &w, 1, &pass->penalty, &none, err);
    }
    return ok;
}

static bool emit_loss(void *context, struct run *run, const struct plan_loss *plan, strata_error *err)
{
    const struct pass *pass = context;
    const struct objective *o = pass->of->objective;
    const struct loss_step step = {
        .run = run, .plan = *plan, .y_true = pass->y, .weight = pass->weight, .values = pass->values,
        .columns = o->columns, .sample_rows = o->rows, .rows = pass->n * o->rows, .at_logits = o->at_logits,
        .last = o->last,
    };
    return strata_objective_loss(o)->emit(o->loss.config, &step, err)
           && (!pass->penalty.buffer || emit_penalties(pass, run, err));
}

static bool has_penalties(const struct params *params)
{
    for (size_t i = 0; i < params->trainable_params; i++)
        if (params->list[i].regularizer && params->list[i].regularizer->class) return true;
    return false;
}

/* ---- making one ---------------------------------------------------------------------------------------------------- */

static bool make_view(const struct pass *pass, size_t elements, struct view *view, strata_error *err)
{
    struct device *device = pass->of->device;
    const size_t bytes = (elements ? elements : 1) * sizeof(float);
    view->shape = (struct shape){ 1, { elements } };
    view->buffer = pass->of->unplayed ? strata_buffer_placeholder(device, bytes, err) : strata_buffer_create(device, bytes, err);
    return view->buffer != NULL;
}

static bool make_buffers(struct pass *pass, strata_error *err)
{
    const struct passes *of = pass->of;
    const struct objective *o = of->objective;
    return make_view(pass, pass->n * strata_shape_count(&o->truth), &pass->y, err)
           && make_view(pass, pass->n * o->rows, &pass->values, err)
           && (!of->weighted || make_view(pass, pass->n, &pass->weight, err))
           && (!has_penalties(of->params) || make_view(pass, 1, &pass->penalty, err));
}

static void free_pass(struct pass *pass)
{
    if (!pass) return;
    strata_plan_free(pass->plan);
    strata_plan_free(pass->augment);
    free(pass->augment_words);
    strata_buffer_free(pass->y.buffer);
    strata_buffer_free(pass->weight.buffer);
    strata_buffer_free(pass->values.buffer);
    strata_buffer_free(pass->penalty.buffer);
    free(pass->words);
    free(pass);
}

static bool make_augment(struct pass *pass, strata_error *err)
{
    if (!pass->of->augment || !pass->training) return true;
    pass->augment = strata_augment_plan(pass->of->augment, pass->of->data, pass->n, pass->of->unplayed, err);
    pass->augment_words = pass->augment ? strata_alloc(STEP_ROWS + pass->n, sizeof *pass->augment_words, err) : NULL;
    return pass->augment_words != NULL;
}

static struct pass *make_pass(const struct passes *of, size_t n, size_t global_n, bool training, strata_error *err)
{
    struct pass *pass = strata_alloc(1, sizeof *pass, err);
    if (!pass) return NULL;
    *pass = (struct pass){ .n = n, .global_n = global_n, .training = training, .of = of };
    const bool measured = of->objective != NULL, augmented = training && of->augment;
    const struct training *compiled = strata_model_training(of->model);
    const struct plan_config config = {
        .part = of->part, .unplayed = of->unplayed, .n = n, .shape = of->data->x.shape, .grain = of->grain,
        .global_n = global_n, .training = training,
        .strict = compiled && !compiled->winograd,
        .backward = training && of->params->trainable > 0,
        .input = augmented ? STRATA_FLOAT32 : of->data->x.type, .input_scale = augmented ? 1 : of->data->scale,
        .loss_at_logits = measured && of->objective->at_logits,
        .pool = of->pool, .exchange = training ? of->exchange : NULL, .gate = training ? of->gate : NULL,
        .emit_loss = measured ? emit_loss : NULL, .context = pass,
    };
    bool ok = (!measured || make_buffers(pass, err)) && make_augment(pass, err);
    ok = ok && (pass->words = strata_alloc(STEP_ROWS + n, sizeof *pass->words, err))
         && (pass->plan = strata_plan_create(of->model, &config, err));
    if (ok) return pass;
    free_pass(pass);
    return NULL;
}

static bool open_augment(struct passes *passes, strata_error *err)
{
    return passes->augment || strata_augment_open(passes->data, passes->device, &passes->augment, err);
}

struct pass *strata_passes_get(struct passes *passes, size_t n, size_t global_n, bool training, strata_error *err)
{
    for (size_t i = 0; i < passes->count; i++) {
        struct pass *pass = passes->list[i];
        if (pass->n == n && pass->global_n == global_n && pass->training == training) return pass;
    }
    void *list = passes->list;
    if (training && !open_augment(passes, err)) return NULL;
    if (!strata_reserve(&list, &passes->room, passes->count + 1, sizeof *passes->list, err)) return NULL;
    passes->list = list;
    struct pass *made = make_pass(passes, n, global_n, training, err);
    if (made) passes->list[passes->count++] = made;
    return made;
}

void strata_passes_free(struct passes *passes)
{
    for (size_t i = 0; i < passes->count; i++) free_pass(passes->list[i]);
    free(passes->list);
    strata_augment_close(passes->augment);
    passes->augment = NULL;
    passes->list = NULL;
    passes->count = passes->room = 0;
}

struct batch strata_passes_part(const struct passes *passes, const struct batch *batch, size_t at, size_t n)
{
    const strata_data *data = passes->data;
    struct batch part = *batch;
    part.first += at;
    part.count = n;
    part.x = (const char *)batch->x + at * strata_shape_count(&data->x.shape) * strata_type_size(data->x.type);
    if (batch->y) part.y = (const char *)batch->y + at * strata_shape_count(&data->y.shape) * sizeof(float);
    if (batch->weight) part.weight += at;
    part.sample += at;
    return part;
}

bool strata_passes_measure(struct passes *passes, size_t n, size_t global_n, bool training, struct plan_sizes *sizes,
                           strata_error *err)
{
    if (training && !open_augment(passes, err)) return false;
    struct passes of = *passes;
    of.unplayed = true;
    struct pass *pass = make_pass(&of, n, global_n, training, err);
    if (!pass) return false;
    const struct view *views[] = { &pass->y, &pass->weight, &pass->values, &pass->penalty };
    *sizes = strata_plan_sizes(pass->plan);
    if (pass->augment) sizes->rest += strata_plan_memory(pass->augment);
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        sizes->rest += views[i]->buffer ? strata_buffer_size(views[i]->buffer) : 0;
    free_pass(pass);
    return true;
}

/* ---- playing ----------------------------------------------------------------------------------------------------------- */

static void fill_words(struct pass *pass, const struct batch *batch, const struct step_numbers *numbers)
{
    memset(pass->words, 0, STEP_ROWS * sizeof *pass->words);
    pass->words[STEP_SEED_LOW] = (uint32_t)numbers->seed;
    pass->words[STEP_SEED_HIGH] = (uint32_t)(numbers->seed >> 32);
    pass->words[STEP_EPOCH] = numbers->epoch;
    memcpy(&pass->words[STEP_LOSS_SCALE], &numbers->loss_scale, sizeof numbers->loss_scale);
    memcpy(pass->words + STEP_ROWS, batch->sample, pass->n * sizeof *pass->words);
}

static bool upload(struct device *device, struct buffer *to, size_t bytes, const void *host, struct event **event,
                   strata_error *err)
{
    return bytes == 0 || strata_buffer_write_async(device, QUEUE_COMPUTE, to, 0, bytes, host, event, err);
}

static bool put_x(struct pass *pass, const struct batch *batch, strata_error *err)
{
    struct device *device = pass->of->device;
    struct buffer *to = strata_plan_input(pass->plan);
    if (!pass->augment) return upload(device, to, strata_plan_input_bytes(pass->plan), batch->x, NULL, err);
    return strata_augment_play(pass->augment, device, batch->x, pass->words, pass->augment_words, pass->n, to, err);
}

bool strata_pass_play(struct pass *pass, const struct batch *batch, const struct step_numbers *numbers,
                      struct event **uploaded, strata_error *err)
{
    struct device *device = pass->of->device;
    const struct objective *o = pass->of->objective;
    fill_words(pass, batch, numbers);
    if (o && !upload(device, pass->y.buffer, pass->n * strata_shape_count(&o->truth) * sizeof(float), batch->y, NULL, err))
        return false;
    if (pass->weight.buffer && o && !upload(device, pass->weight.buffer, pass->n * sizeof(float), batch->weight, NULL, err))
        return false;
    return put_x(pass, batch, err)
           && upload(device, strata_plan_step_words(pass->plan), (STEP_ROWS + pass->n) * sizeof *pass->words,
                     pass->words, uploaded, err)
           && strata_run_play(strata_plan_run(pass->plan), err);
}
