#include "model/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/plan_priv.h"

static size_t input_size(strata_type type)
{
    return type == STRATA_UINT8 ? 1 : sizeof(float);
}

/* The layer whose activation ends a chain of nothing but layers that leave their input as it is. */
static const strata_layer *last_layer(const strata_model *model)
{
    const strata_layer *layer = model->nodes[model->output].layer;
    return layer->model ? last_layer(layer->model) : layer;
}

enum activation_kind strata_plan_last_activation(const strata_model *model)
{
    if (model->count == 0 || !model->built)
        return ACTIVATION_LINEAR;
    const strata_layer *layer = last_layer(model);
    const bool apart = strata_lower_penalty(layer) || layer->policy != STORAGE_FLOAT32;
    return apart ? ACTIVATION_LINEAR : strata_lower_activation(layer);
}

static bool check_config(strata_model *model, const struct plan_config *config, strata_error *err)
{
    if (!model->params)
        return strata_fail(err, STRATA_EBUG, "model %s is not bound to a device", model->name);
    if (config->n == 0)
        return strata_fail(err, STRATA_EBUG, "a plan for no samples");
    const enum activation_kind last = strata_plan_last_activation(model);
    if (config->loss_at_logits && last != ACTIVATION_SOFTMAX && last != ACTIVATION_SIGMOID)
        return strata_fail(err, STRATA_EBUG, "model %s does not end in a softmax or sigmoid", model->name);
    return true;
}

/* In training, which is where it matters; in inference there are the same nodes up to it. */
static bool find_prefix(strata_model *model, bool logits, int *last, struct shape *out, const strata_layer **layer,
                        strata_error *err)
{
    struct flat_list list;
    const struct lower_config lowering = { .training = true, .backward = true, .keep_last = logits };
    if (!strata_lower(model, &model->input.shape, &lowering, &list, err))
        return false;
    *last = strata_lower_prefix(&list);
    if (*last != MODEL_INPUT) {
        *out = list.items[*last].out;
        *layer = list.items[*last].layer;
    }
    strata_lower_release(&list);
    return true;
}

bool strata_plan_prefix(strata_model *model, bool loss_at_logits, struct shape *out, const strata_layer **layer,
                        strata_error *err)
{
    int last;
    *out = (struct shape){ .rank = -1 };
    return strata_shape_is_open(&model->input.shape) || find_prefix(model, loss_at_logits, &last, out, layer, err);
}

static bool take_part(struct plan *plan, strata_error *err)
{
    const strata_layer *layer;
    struct shape out;
    int last;
    if (!find_prefix(plan->model, plan->config.loss_at_logits, &last, &out, &layer, err))
        return false;
    if (last == MODEL_INPUT)
        return strata_fail(err, STRATA_EBUG, "model %s has no part that stays the same", plan->model->name);
    if (plan->config.part == PLAN_REST)
        plan->config.shape = out;
    strata_lower_keep(&plan->flat, last, plan->config.part == PLAN_PREFIX);
    return true;
}

static bool lower(struct plan *plan, strata_error *err)
{
    const bool logits = plan->config.loss_at_logits;
    const bool rest = plan->config.part == PLAN_REST;
    const struct shape *in = rest ? &plan->model->input.shape : &plan->config.shape;
    const struct lower_config lowering = { .training = plan->config.training, .backward = plan->config.backward,
                                           .keep_last = logits, .extract = plan->config.extract,
                                           .extract_count = plan->config.extract_count };
    if (!strata_lower(plan->model, in, &lowering, &plan->flat, err)
        || (plan->config.part != PLAN_WHOLE && !take_part(plan, err)) || !strata_lower_widen(&plan->flat, &lowering, err))
        return false;
    plan->at = plan->flat.output;
    if (logits && plan->at != MODEL_INPUT && plan->flat.items[plan->at].kind == FLAT_ACTIVATION)
        plan->at = plan->flat.items[plan->at].inputs[0];
    plan->integer = !rest && strata_model_integer_input(plan->model);
    plan->convert = plan->integer ? plan->config.input != STRATA_INT32
                                  : plan->config.input != STRATA_FLOAT32 || plan->config.input_scale != 1;
    strata_plan_place_gradients(plan);
    strata_plan_place_pooling(plan);
    strata_plan_place_moments(plan);
    return true;
}

static bool has_penalty(const struct plan *plan)
{
    for (size_t i = 0; i < plan->flat.count; i++)
        if (plan->flat.items[i].kind == FLAT_PENALTY)
            return true;
    return false;
}

/* From the pool where it is large enough there. */
static struct buffer *make_buffer(const struct plan *plan, size_t bytes, struct buffer *pooled, strata_error *err)
{
    struct device *device = plan->params->device;
    if (plan->config.unplayed)
        return strata_buffer_placeholder(device, bytes, err);
    return pooled && strata_buffer_size(pooled) >= bytes ? pooled : strata_buffer_create(device, bytes, err);
}

static void free_buffer(const struct plan *plan, struct buffer *buffer)
{
    const struct plan_pool *pool = plan->config.pool;
    if (!pool || (buffer != pool->arena && buffer != pool->input))
        strata_buffer_free(buffer);
}

static size_t arena_bytes(const struct plan *plan)
{
    return plan->arena_elements ? plan->arena_elements * sizeof(float) : 64;
}

static size_t words_bytes(const struct plan *plan)
{
    return (STEP_ROWS + plan->config.n) * sizeof(uint32_t);
}

/* A row a grain, and one for what they were before. */
static bool make_statistics(struct plan *plan, strata_error *err)
{
    const size_t count = plan->config.grain && plan->config.training ? strata_plan_statistic_count(plan) : 0;
    if (count == 0)
        return true;
    plan->statistics = make_buffer(plan, (plan_grains(plan) + 1) * count * sizeof(float), NULL, err);
    return plan->statistics != NULL;
}

static bool make_buffers(struct plan *plan, strata_error *err)
{
    const struct plan_pool none = { 0 }, *pool = plan->config.pool ? plan->config.pool : &none;
    plan->arena = make_buffer(plan, arena_bytes(plan), pool->arena, err);
    plan->input = plan->arena ? make_buffer(plan, strata_plan_input_bytes(plan), pool->input, err) : NULL;
    plan->step_words = plan->input ? make_buffer(plan, words_bytes(plan), NULL, err) : NULL;
    if (plan->step_words && has_penalty(plan))
        plan->penalty = make_buffer(plan, sizeof(float), NULL, err);
    if (plan->step_words && !make_statistics(plan, err))
        return false;
    return plan->step_words && (plan->penalty || !has_penalty(plan));
}

static struct run *make_recording(const struct plan *plan, size_t scratch, strata_error *err)
{
    struct buffer *pooled = plan->config.pool ? plan->config.pool->scratch : NULL;
    return pooled && strata_buffer_size(pooled) >= scratch ? strata_run_record_in(plan->params->device, pooled, err)
                                                           : strata_run_record(plan->params->device, scratch, err);
}

/* First to learn how much scratch memory the ops want, then, where it will be played, for good. */
static bool record(struct plan *plan, strata_error *err)
{
    plan->run = strata_run_measure(plan->params->device, err);
    if (!plan->run)
        return false;
    strata_run_set_strict(plan->run, plan->config.strict);
    strata_run_set_untuned(plan->run, plan->config.grain > 0);
    if (!strata_plan_emit(plan, err))
        return false;
    if (plan->config.unplayed)
        return true;
    const size_t scratch = strata_run_scratch_bytes(plan->run);
    strata_run_free(plan->run);
    plan->run = NULL;
    plan->recording = true;
    plan->run = make_recording(plan, scratch, err);
    if (!plan->run)
        return false;
    strata_run_watch(plan->run, &plan->params->version);
    strata_run_set_strict(plan->run, plan->config.strict);
    strata_run_set_untuned(plan->run, plan->config.grain > 0);
    return strata_plan_emit(plan, err);
}

struct plan *strata_plan_create(strata_model *model, const struct plan_config *config, strata_error *err)
{
    if (!check_config(model, config, err))
        return NULL;
    struct plan *plan = strata_alloc(1, sizeof *plan, err);
    if (!plan)
        return NULL;
    plan->config = *config;
    if (config->shape.rank == 0)
        plan->config.shape = model->input.shape;
    if (plan->config.global_n == 0)
        plan->config.global_n = config->n;
    plan->model = model;
    plan->params = model->params;
    plan->marks = strata_alloc(model->params->bucket_count, sizeof *plan->marks, err);
    plan->passed = plan->marks ? strata_alloc(model->params->bucket_count, sizeof *plan->passed, err) : NULL;
    if (plan->passed && lower(plan, err) && strata_plan_place(plan, err) && make_buffers(plan, err) && record(plan, err))
        return plan;
    strata_fail_in(err, "%s", model->name);
    strata_plan_free(plan);
    return NULL;
}

void strata_plan_free(struct plan *plan)
{
    if (!plan)
        return;
    strata_run_free(plan->run);
    free_buffer(plan, plan->arena);
    free_buffer(plan, plan->input);
    strata_buffer_free(plan->step_words);
    strata_buffer_free(plan->penalty);
    strata_buffer_free(plan->statistics);
    strata_lower_release(&plan->flat);
    free(plan->life);
    free(plan->value_root);
    free(plan->gradient_root);
    free(plan->contributions);
    free(plan->marks);
    free(plan->passed);
    free(plan);
}

struct buffer *strata_plan_input(const struct plan *plan)
{
    return plan->input;
}

size_t strata_plan_input_bytes(const struct plan *plan)
{
    return plan->config.n * strata_shape_count(&plan->config.shape) * input_size(plan->config.input);
}

struct buffer *strata_plan_step_words(const struct plan *plan)
{
    return plan->step_words;
}

struct view strata_plan_output(const struct plan *plan)
{
    return strata_plan_value(plan, plan->flat.output);
}

struct view strata_plan_penalty(const struct plan *plan)
{
    return (struct view){ .buffer = plan->penalty, .shape = { .rank = 1, .dim = { 1 } } };
}

struct view strata_plan_statistics(const struct plan *plan)
{
    const size_t count = plan->statistics ? strata_plan_statistic_count(plan) : 0;
    return (struct view){ .buffer = plan->statistics, .offset = 0, .shape = { 2, { count ? plan_grains(plan) : 0, count } } };
}

struct view strata_plan_extracted(const struct plan *plan, size_t index)
{
    int node;
    if (!strata_lower_find(&plan->flat, plan->config.extract[index], &node))
        return (struct view){ 0 };
    return strata_plan_value(plan, node);
}

struct run *strata_plan_run(const struct plan *plan)
{
    return plan->run;
}

const int *strata_plan_marks(const struct plan *plan)
{
    return plan->marks;
}

struct plan_sizes strata_plan_sizes(const struct plan *plan)
{
    return (struct plan_sizes){ .arena = arena_bytes(plan), .input = strata_plan_input_bytes(plan),
                                .scratch = strata_run_scratch_bytes(plan->run),
                                .rest = words_bytes(plan) + (plan->penalty ? sizeof(float) : 0) + strata_run_kept_bytes(plan->run)
                                        + (plan->statistics ? strata_buffer_size(plan->statistics) : 0) };
}

size_t strata_plan_memory(const struct plan *plan)
{
    const struct plan_sizes sizes = strata_plan_sizes(plan);
    return sizes.arena + sizes.input + sizes.scratch + sizes.rest;
}
