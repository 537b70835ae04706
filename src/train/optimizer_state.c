#include "train/optimizer_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

struct slot_kinds strata_slot_kinds(const struct training *training)
{
    const struct optimizer_class *class = strata_training_optimizer(training);
    const struct optimizer_common *common = strata_training_common(training);
    const void *config = training->optimizer.config;
    struct slot_kinds kinds = { .average = -1, .accumulator = -1 };
    if (common->use_ema) {
        kinds.average = kinds.count;
        kinds.kind[kinds.count++] = (struct slot_kind){ .name = "average" };
    }
    if (common->gradient_accumulation_steps != STRATA_NO_INT) {
        kinds.accumulator = kinds.count;
        kinds.kind[kinds.count++] = (struct slot_kind){ .name = "gradient_accumulator" };
    }
    kinds.own = kinds.count;
    for (int slot = 0; slot < class->slots(config); slot++)
        kinds.kind[kinds.count++] = (struct slot_kind){
            .name = class->slot_name(config, slot),
            .start = class->slot_start ? class->slot_start(config, slot) : 0,
            .interleaved = slot > 0 && slot < class->interleaved,
        };
    return kinds;
}

/* ---- the list's order ---------------------------------------------------------------------------------------------- */

/* Calls `each` for all slots in Keras's order: kinds that are interleaved go variable by variable together. */
static bool walk(const struct slot_kinds *kinds, const struct params *params,
                 bool (*each)(void *context, const struct slot_kind *kind, int index, const struct param *param,
                              strata_error *err),
                 void *context, strata_error *err)
{
    for (int first = 0, end; first < kinds->count; first = end) {
        end = first + 1;
        while (end < kinds->count && kinds->kind[end].interleaved) end++;
        for (size_t v = 0; v < params->trainable_params; v++)
            for (int k = first; k < end; k++)
                if (!each(context, &kinds->kind[k], k, &params->list[params->model_order[v]], err)) return false;
    }
    return true;
}

struct transfer {
    const struct training *training;
    const struct params *params;
    const char *model;
    struct saved_training *saved; /* of packing, as all until at */
    float *const *places;
    struct stretch *stretches;
    float *const *arenas; /* of unpacking */
    size_t at;            /* the next variable */
};

/* ---- packing --------------------------------------------------------------------------------------------------------- */

/* The next variable, with room for so many floats. Its name is made where it has none yet. */
static struct saved_variable *next(struct transfer *t, char *(*name)(const struct transfer *, const void *, strata_error *),
                                   const void *of, size_t elements, strata_error *err)
{
    struct saved_variable *variable = &t->saved->variables[t->at++];
    if (!variable->name && !(variable->name = name(t, of, err))) return NULL;
    if (t->saved->count < t->at) t->saved->count = t->at;
    if (elements > 0 && !variable->values && !(variable->values = strata_alloc(elements, sizeof(float), err))) return NULL;
    return variable;
}

static char *copy_name(const struct transfer *t, const void *name, strata_error *err)
{
    (void)t;
    return strata_copy_text(name, err);
}

struct slot_of {
    const struct slot_kind *kind;
    const struct param *param;
};

/* Keras calls what is inside a LossScaleOptimizer after both. */
static char *name_slot(const struct transfer *t, const void *of, strata_error *err)
{
    const struct slot_of *slot = of;
    struct text name = { 0 };
    if (t->training->scaling.on) strata_text_add(&name, "%s/", strata_training_common(t->training)->name);
    strata_text_add(&name, "%s_%s_%s_%s", t->model, strata_layer_name(slot->param->layer), slot->param->name, slot->kind->name);
    return strata_text_take(&name, err);
}

static bool pack_slot(void *context, const struct slot_kind *kind, int index, const struct param *param,
                      strata_error *err)
{
    struct transfer *t = context;
    const struct slot_of slot = { kind, param };
    struct saved_variable *variable = next(t, name_slot, &slot, t->stretches && !t->places ? param->count : 0, err);
    if (!variable) return false;
    variable->shape.rank = param->shape.rank;
    for (int i = 0; i < param->shape.rank; i++) variable->shape.dim[i] = param->shape.dim[i];
    if (t->stretches)
        t->stretches[(size_t)index * t->params->trainable_params + (size_t)(param - t->params->list)] =
            (struct stretch){ param->offset, param->count, t->places ? t->places[t->at - 1] : variable->values };
    return true;
}

static bool pack_number(struct transfer *t, const char *name, double value, strata_error *err)
{
    struct saved_variable *variable = next(t, copy_name, name, 1, err);
    if (variable) variable->values[0] = (float)value;
    return variable != NULL;
}

static bool pack_integer(struct transfer *t, const char *name, int64_t value, strata_error *err)
{
    struct saved_variable *variable = next(t, copy_name, name, 1, err);
    if (!variable) return false;
    variable->integer = true;
    variable->integers = value;
    return true;
}

/* A LossScaleOptimizer has an iteration and a rate of its own, which nothing uses. */
static bool pack_scaling(struct transfer *t, strata_error *err)
{
    const struct loss_scaling *scaling = &t->training->scaling;
    return !scaling->on
           || (pack_integer(t, "iteration", 0, err) && pack_number(t, "learning_rate", 0, err)
               && pack_integer(t, "step_counter", scaling->good, err) && pack_number(t, "dynamic_scale", scaling->scale, err));
}

bool strata_state_pack(const struct training *training, const strata_model *model, const struct params *params,
                       struct saved_training *saved, float *const *places, struct stretch *stretches, strata_error *err)
{
    const struct slot_kinds kinds = strata_slot_kinds(training);
    const struct object *schedule = &strata_training_common(training)->learning_rate;
    const double rate = isnan(training->rate) ? strata_schedule_value(schedule, 0) : training->rate;
    struct transfer t = { .training = training, .params = params, .model = strata_model_name(model), .saved = saved,
                          .places = places, .stretches = stretches };
    if (!saved->variables)
        saved->variables = strata_alloc((size_t)kinds.count * params->trainable_params + 3 + STRATA_OUTER_VARIABLES,
                                        sizeof *saved->variables, err);
    return saved->variables && pack_scaling(&t, err) && pack_integer(&t, "iteration", training->iteration, err)
           && (!strata_schedule_is_constant(schedule) || pack_number(&t, "learning_rate", rate, err))
           && walk(&kinds, params, pack_slot, &t, err)
           && (!strata_training_optimizer(training)->advance || pack_number(&t, "variable", training->scalar, err));
}

/* ---- unpacking ------------------------------------------------------------------------------------------------------ */

static bool another(const struct training *training, size_t expected, strata_error *err)
{
    return strata_fail(err, STRATA_EFILE,
                       "the optimizer's state has %zu variables; %s for this model has %zu: it was made with another "
                       "optimizer or other trainable layers",
                       training->count, training->optimizer.class->name, expected);
}

static bool unpack_slot(void *context, const struct slot_kind *kind, int index, const struct param *param,
                        strata_error *err)
{
    struct transfer *t = context;
    const struct saved_variable *variable = &t->training->variables[t->at++];
    struct shape shape = { .rank = variable->shape.rank };
    for (int i = 0; i < shape.rank && i < STRATA_MAX_RANK; i++) shape.dim[i] = variable->shape.dim[i];
    if (!variable->values || !strata_shape_equal(&shape, &param->shape)) {
        char is[STRATA_SHAPE_TEXT], wanted[STRATA_SHAPE_TEXT];
        return strata_fail(err, STRATA_EFILE, "optimizer variable %s has shape %s; the %s of %s/%s needs %s",
                           variable->name, strata_shape_text(&shape, NULL, is), kind->name,
                           strata_layer_name(param->layer), param->name,
                           strata_shape_text(&param->shape, NULL, wanted));
    }
    memcpy(t->arenas[index] + param->offset, variable->values, param->count * sizeof(float));
    return true;
}

static bool is_number(const struct saved_variable *variable)
{
    return variable->values && variable->shape.rank == 0;
}

static bool unpack_scaling(struct loss_scaling *scaling, const struct saved_variable *v)
{
    if (!v[0].integer || !is_number(&v[1]) || !v[2].integer || !is_number(&v[3])) return false;
    scaling->good = v[2].integers;
    scaling->scale = (double)v[3].values[0];
    return isfinite(scaling->scale) && scaling->scale > 0;
}

bool strata_state_unpack(struct training *training, const struct params *params, float *const *arenas,
                         strata_error *err)
{
    const struct slot_kinds kinds = strata_slot_kinds(training);
    const bool has_rate = strata_schedule_is_constant(&strata_training_common(training)->learning_rate);
    const bool has_scalar = strata_training_optimizer(training)->advance != NULL;
    const size_t expected = 1 + has_rate + (size_t)kinds.count * params->trainable_params + has_scalar;
    /* Keras 2 keeps no state of scaling, which then begins anew */
    const size_t first = training->scaling.on && training->count != expected ? STRATA_OUTER_VARIABLES : 0;
    struct transfer t = { .training = training, .params = params, .arenas = arenas, .at = first + 1 + (size_t)has_rate };
    const struct saved_variable *v = training->variables + first;
    if (training->count != first + expected || !v[0].integer || (has_rate && !is_number(&v[1]))
        || (has_scalar && !is_number(&v[expected - 1])) || (first > 0 && !unpack_scaling(&training->scaling, training->variables)))
        return another(training, first + expected, err);
    training->iteration = v[0].integers;
    if (has_rate) training->rate = (double)v[1].values[0];
    if (has_scalar) training->scalar = (double)v[expected - 1].values[0];
    return walk(&kinds, params, unpack_slot, &t, err);
}
