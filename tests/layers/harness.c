#include "layers/harness.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ops/map.h"

enum { GUARD = 5 };
static const float rubbish = -1.25e30f;

/* ---- configs ---- */

static const char *const common_keys[] = { "name",        "trainable", "dtype",  "batch_input_shape",
                                           "batch_shape", "sparse",    "ragged", "optional",
                                           NULL };

bool harness_parse(const json_t *json, enum flavour flavour, const struct layer_class **class, void **config,
                   strata_error *err)
{
    const char *name = json_string_value(json_object_get(json, "class_name"));
    const struct class *found = name ? strata_class_find(&strata_layers, name) : NULL;
    if (!found) return strata_fail(err, STRATA_EVALUE, "no layer class %s", name ? name : "(none)");
    *class = strata_layer_class(found);
    *config = strata_alloc(1, found->config_size, err);
    if (*config
        && strata_config_parse(found->fields, json_object_get(json, "config"), flavour, common_keys, *config,
                               err)) {
        if (!found->check || found->check(*config, flavour, err)) return true;
        strata_config_release(found->fields, *config);
    }
    free(*config);
    *config = NULL;
    return false;
}

void harness_config_free(const struct layer_class *class, void *config)
{
    if (config) strata_config_release(class->class.fields, config);
    free(config);
}

/* ---- tensors ---- */

static bool fill(struct harness *h, const struct view *view, strata_error *err)
{
    const size_t count = strata_view_count(view) + 2 * GUARD;
    float *elements = strata_alloc(count, sizeof *elements, err);
    for (size_t i = 0; elements && i < count; i++) elements[i] = rubbish;
    const bool ok = elements
                    && strata_buffer_write(h->device, QUEUE_COMPUTE, view->buffer, 0,
                                           count * sizeof *elements, elements, err);
    free(elements);
    return ok;
}

static bool make(struct harness *h, struct view *view, struct shape shape, strata_error *err)
{
    *view = (struct view){ .offset = GUARD, .shape = shape };
    view->buffer =
        strata_buffer_create(h->device, (strata_view_count(view) + 2 * GUARD) * sizeof(float), err);
    return view->buffer && fill(h, view, err);
}

static bool make_extra(struct harness *h,
                       size_t (*count)(const void *, size_t, const struct shape *, const struct shape *),
                       struct view *view, strata_error *err)
{
    const size_t elements = count ? count(h->config, h->n, h->in, &h->out) : 0;
    return elements == 0 || make(h, view, (struct shape){ 1, { elements } }, err);
}

static bool make_all(struct harness *h, strata_error *err)
{
    const struct shape out = strata_shape_batch(h->n, &h->out);
    bool ok = make(h, &h->z, out, err) && make(h, &h->y, out, err) && make(h, &h->dz, out, err)
              && make(h, &h->dy, out, err) && make_extra(h, h->class->keep, &h->keep, err)
              && make_extra(h, h->class->work, &h->work, err);
    for (int i = 0; ok && i < h->inputs; i++)
        ok = make(h, &h->x[i], strata_shape_batch(h->n, &h->in[i]), err)
             && make(h, &h->dx[i], strata_shape_batch(h->n, &h->in[i]), err);
    for (int i = 0; ok && i < h->ask.count; i++)
        ok = make(h, &h->w[i], h->ask.spec[i].shape, err)
             && (h->ask.spec[i].statistic || make(h, &h->dw[i], h->ask.spec[i].shape, err));
    h->step_words = ok ? strata_buffer_create(h->device, (STEP_ROWS + h->n) * sizeof(uint32_t), err) : NULL;
    return h->step_words != NULL;
}

bool harness_open(struct harness *h, struct device *device, const struct layer_class *class,
                  const void *config, size_t n, const struct shape *in, int inputs, strata_error *err)
{
    *h = (struct harness){ .device = device, .class = class, .config = config, .n = n, .inputs = inputs };
    for (int i = 0; i < inputs; i++) h->in[i] = in[i];
    h->in[inputs].rank = -1;
    if (class->activation)
        h->activation = (enum activation_kind) * (const int *)((const char *)config + class->activation - 1);
    h->run = strata_run_immediate(device, QUEUE_COMPUTE, err);
    return h->run && class->shape(config, h->in, &h->out, err)
           && (!class->weights || class->weights(config, h->in, &h->ask, err)) && make_all(h, err);
}

void harness_close(struct harness *h)
{
    struct view *single[] = { &h->z, &h->y, &h->dz, &h->dy, &h->keep, &h->work };
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) strata_buffer_free(single[i]->buffer);
    for (int i = 0; i < HARNESS_INPUTS; i++) {
        strata_buffer_free(h->x[i].buffer);
        strata_buffer_free(h->dx[i].buffer);
    }
    for (int i = 0; i < STRATA_MAX_WEIGHTS; i++) {
        strata_buffer_free(h->w[i].buffer);
        strata_buffer_free(h->dw[i].buffer);
    }
    strata_buffer_free(h->step_words);
    strata_run_free(h->run);
    *h = (struct harness){ 0 };
}

bool harness_write(struct harness *h, const struct view *view, const void *elements, strata_error *err)
{
    return strata_buffer_write(h->device, QUEUE_COMPUTE, view->buffer, view->offset * sizeof(float),
                               strata_view_count(view) * sizeof(float), elements, err);
}

bool harness_read(struct harness *h, const struct view *view, float *elements, strata_error *err)
{
    float guards[2 * GUARD];
    const size_t count = strata_view_count(view), after = (GUARD + count) * sizeof(float),
                 bytes = GUARD * sizeof(float);
    if (!strata_buffer_read(h->device, QUEUE_COMPUTE, view->buffer, view->offset * sizeof(float),
                            count * sizeof(float), elements, err)
        || !strata_buffer_read(h->device, QUEUE_COMPUTE, view->buffer, 0, bytes, guards, err)
        || !strata_buffer_read(h->device, QUEUE_COMPUTE, view->buffer, after, bytes, guards + GUARD, err))
        return false;
    for (int i = 0; i < 2 * GUARD; i++)
        if (guards[i] != rubbish)
            return strata_fail(err, STRATA_EBUG, "%s wrote %s its tensor", h->class->class.name,
                               i < GUARD ? "before" : "behind");
    return true;
}

bool harness_words(struct harness *h, uint64_t seed, uint32_t epoch, const uint32_t *rows, strata_error *err)
{
    uint32_t words[STEP_ROWS] = {
        [STEP_SEED_LOW] = (uint32_t)seed, [STEP_SEED_HIGH] = (uint32_t)(seed >> 32), [STEP_EPOCH] = epoch
    };
    return strata_buffer_write(h->device, QUEUE_COMPUTE, h->step_words, 0, sizeof words, words, err)
           && strata_buffer_write(h->device, QUEUE_COMPUTE, h->step_words, sizeof words, h->n * sizeof *rows,
                                  rows, err);
}

/* ---- running ---- */

bool harness_can(const struct harness *h, enum harness_way way)
{
    if (way == HARNESS_FUSED)
        return h->class->fuses && h->activation != ACTIVATION_LINEAR
               && strata_activation(h->activation)->fusable;
    return way == HARNESS_PLAIN || (h->class->in_place && strata_shape_equal(&h->in[0], &h->out));
}

static bool separate_activation(const struct harness *h)
{
    return h->activation != ACTIVATION_LINEAR && h->way != HARNESS_FUSED;
}

static struct step step_of(struct harness *h, bool training)
{
    struct step s = { .run = h->run,
                      .x = h->x[0],
                      .xs = h->x,
                      .dxs = h->dx,
                      .inputs = h->inputs,
                      .training = training,
                      .stream = 7,
                      .work = h->work,
                      .step_words = training ? h->step_words : NULL };
    if (training) s.keep = h->keep;
    for (int i = 0; i < h->ask.count; i++) s.w[i] = h->w[i];
    s.y = h->way == HARNESS_IN_PLACE ? h->x[0] : separate_activation(h) ? h->z : h->y;
    if (h->way == HARNESS_FUSED) s.fused = h->activation;
    return s;
}

bool harness_forward(struct harness *h, bool training, strata_error *err)
{
    const struct step s = step_of(h, training);
    if (h->work.buffer && !fill(h, &h->work, err)) return false;
    const struct view x = strata_view_as(&s.x, s.y.shape);
    const bool ok =
        h->class->view ? strata_op_copy(h->run, &x, &s.y, err) : h->class->forward(h->config, &s, err);
    if (!ok || !separate_activation(h))
        return ok && (h->way != HARNESS_IN_PLACE || strata_op_copy(h->run, &h->x[0], &h->y, err));
    return strata_op_activation(h->run, h->activation, &h->z, &h->y, err);
}

/* dy of the linear part. */
static bool through_activation(struct harness *h, struct view *dz, strata_error *err)
{
    *dz = h->dy;
    if (h->activation == ACTIVATION_LINEAR) return true;
    const struct view *value = strata_activation(h->activation)->needs_x ? &h->z : &h->y;
    *dz = h->dz;
    return strata_op_activation_gradient(h->run, h->activation, value, &h->dy, &h->dz, err);
}

bool harness_backward(struct harness *h, bool training, strata_error *err)
{
    struct step s = step_of(h, training);
    const struct view none = { 0 };
    if (!through_activation(h, &s.dy, err) || (h->work.buffer && !fill(h, &h->work, err))) return false;
    if (!h->class->needs_x) s.x.buffer = NULL;
    if (!h->class->needs_y) s.y.buffer = NULL;
    s.dx = h->way == HARNESS_IN_PLACE ? s.dy : h->class->integer_input ? none : h->dx[0];
    for (int i = 0; i < h->ask.count; i++) s.dw[i] = h->dw[i];
    if (h->class->view) {
        const struct view dy = strata_view_as(&s.dy, s.dx.shape);
        return strata_op_copy(h->run, &dy, &s.dx, err);
    }
    return h->class->backward(h->config, &s, err)
           && (h->way != HARNESS_IN_PLACE || strata_op_copy(h->run, &s.dy, &h->dx[0], err));
}
