#include "ops/activation.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ops/map.h"
#include "ops/reduce.h"
#include "ops/softmax.h"

static const char *const silu_aliases[] = { "swish", NULL };
static const char *const hard_silu_aliases[] = { "hard_swish", NULL };

/* In the order of enum activation_kind. What needs x is not fused: a fused layer keeps y alone. */
static const struct activation activations[ACTIVATION_KINDS] = {
    { "linear", NULL, ACTIVATION_LINEAR, false, true, true, false },
    { "relu", NULL, ACTIVATION_RELU, false, true, true, false },
    { "relu6", NULL, ACTIVATION_RELU6, false, true, true, false },
    { "tanh", NULL, ACTIVATION_TANH, false, true, true, false },
    { "sigmoid", NULL, ACTIVATION_SIGMOID, false, true, true, false },
    { "leaky_relu", NULL, ACTIVATION_LEAKY_RELU, false, true, true, false },
    { "elu", NULL, ACTIVATION_ELU, false, true, true, false },
    { "selu", NULL, ACTIVATION_SELU, false, true, true, false },
    { "exponential", NULL, ACTIVATION_EXPONENTIAL, false, true, true, false },
    { "softplus", NULL, ACTIVATION_SOFTPLUS, false, true, true, false },
    { "softsign", NULL, ACTIVATION_SOFTSIGN, false, true, true, false },
    { "hard_sigmoid", NULL, ACTIVATION_HARD_SIGMOID, false, true, true, false },
    { "hard_sigmoid", NULL, ACTIVATION_HARD_SIGMOID_KERAS2, true, true, false, false },
    { "silu", silu_aliases, ACTIVATION_SILU, true, true, false, false },
    { "hard_silu", hard_silu_aliases, ACTIVATION_HARD_SILU, true, true, false, true },
    { "gelu", NULL, ACTIVATION_GELU, true, true, false, false },
    { "gelu_approximate", NULL, ACTIVATION_GELU_APPROXIMATE, true, true, false, false },
    { "mish", NULL, ACTIVATION_MISH, true, true, false, false },
    { "celu", NULL, ACTIVATION_CELU, true, true, false, true },
    { "squareplus", NULL, ACTIVATION_SQUAREPLUS, true, true, false, true },
    { "soft_shrink", NULL, ACTIVATION_SOFT_SHRINK, true, true, false, true },
    { "hard_shrink", NULL, ACTIVATION_HARD_SHRINK, true, true, false, true },
    { "tanh_shrink", NULL, ACTIVATION_TANH_SHRINK, true, true, false, true },
    { "hard_tanh", NULL, ACTIVATION_HARD_TANH, true, true, false, true },
    { "sparse_plus", NULL, ACTIVATION_SPARSE_PLUS, true, true, false, true },
    { "sparse_sigmoid", NULL, ACTIVATION_SPARSE_SIGMOID, true, true, false, true },
    { "log_sigmoid", NULL, ACTIVATION_LOG_SIGMOID, true, true, false, true },
    { "softmax", NULL, ACTIVATION_SOFTMAX, false, false, false, false },
    { "log_softmax", NULL, ACTIVATION_LOG_SOFTMAX, false, false, false, false },
    { "sparsemax", NULL, ACTIVATION_SPARSEMAX, true, false, false, true },
};

const struct activation *strata_activation(enum activation_kind kind)
{
    return (unsigned)kind < ACTIVATION_KINDS ? &activations[kind] : NULL;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static bool is_called(const struct activation *activation, const char *name)
{
    if (strcmp(activation->name, name) == 0) return true;
    for (const char *const *alias = activation->aliases; alias && *alias; alias++)
        if (strcmp(*alias, name) == 0) return true;
    return false;
}

/* Keras has a name for every kind but gelu(approximate=True), and one for the two hard_sigmoids. */
static bool has_name(int kind, enum flavour flavour)
{
    return kind != ACTIVATION_GELU_APPROXIMATE
           && kind != (flavour == STRATA_KERAS2 ? ACTIVATION_HARD_SIGMOID : ACTIVATION_HARD_SIGMOID_KERAS2);
}

const struct activation *strata_activation_find(const char *name, enum flavour flavour)
{
    for (int kind = 0; kind < ACTIVATION_KINDS; kind++)
        if (has_name(kind, flavour) && is_called(&activations[kind], name)) return &activations[kind];
    return NULL;
}

/* Names that Keras has and that are of no use there: glu halves the last axis, which no layer of Keras reckons with, and
 * threshold is called with arguments that a name cannot carry. */
static bool refused_name(const char *key, const char *name, strata_error *err)
{
    if (strcmp(name, "glu") == 0)
        return strata_fail(err, STRATA_EVALUE, "%s: \"glu\" halves the last axis, so it cannot be the activation of a layer",
                           key);
    return strata_fail(err, STRATA_EVALUE, "%s: \"threshold\" needs arguments; use the layer ReLU with its threshold", key);
}

static bool unknown_name(const char *key, const char *name, enum flavour flavour, strata_error *err)
{
    if (strcmp(name, "glu") == 0 || strcmp(name, "threshold") == 0) return refused_name(key, name, err);
    const char *names[ACTIVATION_KINDS];
    size_t count = 0, used = 0;
    char list[600] = "";
    for (int kind = 0; kind < ACTIVATION_KINDS; kind++)
        if (has_name(kind, flavour)) names[count++] = activations[kind].name;
    const char *nearest = strata_nearest(name, names, count);
    if (nearest)
        return strata_fail(err, STRATA_EVALUE, "%s: unknown activation \"%s\"; did you mean \"%s\"?", key,
                           name, nearest);
    for (size_t i = 0; i < count && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", names[i]);
    return strata_fail(err, STRATA_EVALUE, "%s: unknown activation \"%s\"; known are %s", key, name, list);
}

/* The name in any form in which Keras writes a function: a string, or an object whose "config" is the name. */
static const char *name_in(const json_t *json)
{
    const json_t *config = json_object_get(json, "config");
    if (json_is_string(json)) return json_string_value(json);
    return json_is_string(config) ? json_string_value(config) : NULL;
}

bool strata_activation_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                             strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    if (!json || json_is_null(json)) {
        *(int *)at = ACTIVATION_LINEAR;
        return true;
    }
    const char *name = name_in(json);
    if (!name)
        return strata_fail(err, STRATA_EVALUE, "%s: %s is no activation; give a name such as \"relu\"",
                           field->name, strata_json_brief(json, brief));
    const struct activation *activation = strata_activation_find(name, flavour);
    if (!activation) return unknown_name(field->name, name, flavour, err);
    *(int *)at = (int)activation->kind;
    return true;
}

bool strata_activation_writable(const struct field *field, const void *at, enum flavour flavour, strata_error *err)
{
    const struct activation *activation = &activations[*(const int *)at];
    if (flavour == STRATA_KERAS2 && activation->only_keras3)
        return strata_fail(err, STRATA_EVALUE, "%s is \"%s\"; Keras 2 has no such function: write it as Keras 3 has it",
                           field->name, activation->name);
    return has_name((int)activation->kind, flavour)
           || strata_fail(err, STRATA_EVALUE, "%s is the \"%s\" of Keras %d; the function of that name in Keras %d is another: "
                          "write it as Keras %d has it", field->name, activation->name, flavour == STRATA_KERAS2 ? 3 : 2,
                          flavour == STRATA_KERAS2 ? 2 : 3, flavour == STRATA_KERAS2 ? 3 : 2);
}

json_t *strata_activation_write(const struct field *field, const void *at, enum flavour flavour)
{
    (void)field;
    const int kind = *(const int *)at;
    if (kind == ACTIVATION_SILU && flavour == STRATA_KERAS2) return json_string("swish");
    return json_string(activations[kind].name);
}

/* ---- computing -------------------------------------------------------------------------------------------------- */

static struct softmax softmax_of(enum activation_kind kind, const struct view *x)
{
    return (struct softmax){ .log = kind == ACTIVATION_LOG_SOFTMAX,
                             .extent = strata_view_columns(x),
                             .inner = 1 };
}

static bool sparsemax(struct run *run, const struct view *x, const struct view *y, strata_error *err)
{
    const size_t columns = strata_view_columns(x);
    const struct arg args[] = { arg_view(x), arg_view(y), arg_uint((uint32_t)columns), { 0 } };
    return strata_op_map(run, "sparsemax:forward", "", args, strata_view_count(x) / columns, err);
}

static bool sparsemax_gradient(struct run *run, const struct view *x, const struct view *dy, const struct view *dx,
                               strata_error *err)
{
    const size_t columns = strata_view_columns(x);
    const struct arg args[] = { arg_view(x), arg_view(dy), arg_view(dx), arg_uint((uint32_t)columns), { 0 } };
    return strata_op_map(run, "sparsemax:gradient", "", args, strata_view_count(x) / columns, err);
}

/* One work-item an element, or VW elements where they come out even. */
static bool map(struct run *run, const char *kernel, enum activation_kind kind, enum storage storage, const struct arg *args,
                size_t n, strata_error *err)
{
    char options[64];
    const int width = strata_op_kept_width(run, storage, n);
    snprintf(options, sizeof options, "-DVW=%d -DACTIVATION=%d%s", width, (int)kind, strata_op_kept(storage));
    return strata_op_map(run, kernel, options, args, n / (size_t)width, err);
}

bool strata_op_activation(struct run *run, enum activation_kind kind, const struct view *x,
                          const struct view *y, strata_error *err)
{
    if (kind == ACTIVATION_LINEAR) return strata_op_copy(run, x, y, err);
    if (kind == ACTIVATION_SPARSEMAX) return sparsemax(run, x, y, err);
    if (!activations[kind].elementwise) {
        const struct softmax softmax = softmax_of(kind, x);
        return strata_op_softmax(run, &softmax, x, y, err);
    }
    const struct arg args[] = { arg_view(x), arg_view(y), { 0 } };
    return map(run, "activation:forward", kind, x->storage, args, strata_view_count(x), err);
}

bool strata_op_activation_gradient(struct run *run, enum activation_kind kind, const struct view *value,
                                   const struct view *dy, const struct view *dx, strata_error *err)
{
    if (kind == ACTIVATION_LINEAR) return strata_op_copy(run, dy, dx, err);
    if (kind == ACTIVATION_SPARSEMAX) return sparsemax_gradient(run, value, dy, dx, err);
    if (!activations[kind].elementwise) {
        const struct softmax softmax = softmax_of(kind, dy);
        return strata_op_softmax_gradient(run, &softmax, value, dy, dx, err);
    }
    const struct arg args[] = { arg_view(value), arg_view(dy), arg_view(dx), { 0 } };
    return map(run, "activation:gradient", kind, dy->storage, args, strata_view_count(dy), err);
}

bool strata_op_activation_gradient_sums(struct run *run, enum activation_kind kind, const struct view *value, const struct view *dy,
                                        const struct view *dx, size_t each, const struct view *sums, strata_error *err)
{
    const size_t columns = strata_view_count(sums), rows = strata_view_count(dy) / columns;
    const struct slices slices = strata_op_slices(run, rows, each);
    const size_t parts = slices.grains * slices.slices;
    const int width = strata_op_kept_width(run, dy->storage, columns), chunks = strata_op_chunks(run, columns, width);
    char options[48];
    struct view part = *sums;
    assert(activations[kind].elementwise);
    if (parts > 1) {
        part = (struct view){ 0 };
        if (!strata_run_scratch(run, parts * columns * sizeof(float), &part.buffer, err)) return false;
    }
    snprintf(options, sizeof options, "-DVW=%d -DACTIVATION=%d%s", width, (int)kind, strata_op_kept(dy->storage));
    const struct arg args[] = { arg_view(value),        arg_view(dy),            arg_view(dx),             arg_view(&part), arg_ulong(rows),
                                arg_ulong(columns),     arg_ulong(slices.each),  arg_ulong(slices.slice),  arg_ulong(slices.slices),
                                arg_int(chunks),        { 0 } };
    const struct launch launch = { .kernel = "activation_sums:gradient",
                                   .options = options,
                                   .args = args,
                                   .dims = 2,
                                   .global = { columns / (size_t)(width * chunks), parts },
                                   .bytes = 3.0 * (double)rows * (double)columns * (double)strata_storage_size(dy->storage) };
    return strata_launch(run, &launch, err)
           && (parts == 1 || strata_op_sum_parts(run, &part, &slices, columns, sums, err));
}
