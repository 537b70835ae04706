/* Operations between tensors, and between a tensor and a number: on the kernels of the layers that merge, or affine. */
#include "layers/operation.h"

#include <math.h>

#include "layers/merging.h"
#include "ops/map.h"

extern const struct layer_class strata_layer_add, strata_layer_subtract, strata_layer_multiply;

static const struct field fields[] = {
    { "constant", FIELD_FLOAT, offsetof(struct operation, constant), .nullable = true, .null_default = true,
      .help = "the other operand; null: a second tensor" },
    { "constant_first", FIELD_BOOL, offsetof(struct operation, first), .help = "it is the left one" },
    { 0 },
};

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct operation *c = config;
    const int inputs = strata_merge_inputs(in);
    if (isnan(c->constant)) return strata_merge_shape(NULL, in, out, err);
    *out = in[0];
    return inputs == 1 || strata_fail(err, STRATA_ESHAPE, "a tensor and a constant are expected, not %d tensors", inputs);
}

/* y = scale x + offset, with the constant in place of an operand. */
static bool affine(const struct step *s, double scale, double offset, strata_error *err)
{
    return strata_op_affine(s->run, &s->x, scale, offset, &s->y, err);
}

static bool affine_gradient(const struct step *s, double scale, strata_error *err)
{
    return !s->dx.buffer || strata_op_affine(s->run, &s->dy, scale, 0, &s->dx, err);
}

/* ---- x + y --------------------------------------------------------------------------------------------------------- */

static bool add(const void *config, const struct step *s, strata_error *err)
{
    const struct operation *c = config;
    return isnan(c->constant) ? strata_layer_add.forward(NULL, s, err) : affine(s, 1, c->constant, err);
}

static bool add_gradient(const void *config, const struct step *s, strata_error *err)
{
    const struct operation *c = config;
    return isnan(c->constant) ? strata_layer_add.backward(NULL, s, err) : affine_gradient(s, 1, err);
}

const struct layer_class strata_layer_add_operation = {
    .class = { .name = "AddOperation",
               .config_size = sizeof(struct operation),
               .fields = fields,
               .help = "x + y in a graph of Keras" },
    .operation = "Add",
    .module = "keras.src.ops.numpy",
    .shape = shape,
    .forward = add,
    .backward = add_gradient,
    .merges = true,
};

/* ---- x - y --------------------------------------------------------------------------------------------------------- */

static bool subtract(const void *config, const struct step *s, strata_error *err)
{
    const struct operation *c = config;
    if (isnan(c->constant)) return strata_layer_subtract.forward(NULL, s, err);
    return c->first ? affine(s, -1, c->constant, err) : affine(s, 1, -c->constant, err);
}

static bool subtract_gradient(const void *config, const struct step *s, strata_error *err)
{
    const struct operation *c = config;
    if (isnan(c->constant)) return strata_layer_subtract.backward(NULL, s, err);
    return affine_gradient(s, c->first ? -1 : 1, err);
}

const struct layer_class strata_layer_subtract_operation = {
    .class = { .name = "SubtractOperation",
               .config_size = sizeof(struct operation),
               .fields = fields,
               .help = "x - y in a graph of Keras" },
    .operation = "Subtract",
    .module = "keras.src.ops.numpy",
    .shape = shape,
    .forward = subtract,
    .backward = subtract_gradient,
    .merges = true,
};

/* ---- x * y --------------------------------------------------------------------------------------------------------- */

static bool multiply(const void *config, const struct step *s, strata_error *err)
{
    const struct operation *c = config;
    return isnan(c->constant) ? strata_layer_multiply.forward(NULL, s, err) : affine(s, c->constant, 0, err);
}

static bool multiply_gradient(const void *config, const struct step *s, strata_error *err)
{
    const struct operation *c = config;
    return isnan(c->constant) ? strata_layer_multiply.backward(NULL, s, err) : affine_gradient(s, c->constant, err);
}

static size_t multiply_work(const void *config, size_t n, const struct shape *in, const struct shape *out)
{
    const struct operation *c = config;
    return isnan(c->constant) ? strata_merge_work(NULL, n, in, out) : 0;
}

const struct layer_class strata_layer_multiply_operation = {
    .class = { .name = "MultiplyOperation",
               .config_size = sizeof(struct operation),
               .fields = fields,
               .help = "x * y in a graph of Keras" },
    .operation = "Multiply",
    .module = "keras.src.ops.numpy",
    .shape = shape,
    .forward = multiply,
    .backward = multiply_gradient,
    .work = multiply_work,
    .merges = true,
    .needs_x = true,
};

/* ---- x / constant -------------------------------------------------------------------------------------------------- */

static bool divide_shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct operation *c = config;
    if (isnan(c->constant) || c->first || c->constant == 0)
        return strata_fail(err, STRATA_EJOB, "only a tensor is divided, by a number other than 0");
    return shape(config, in, out, err);
}

static bool divide(const void *config, const struct step *s, strata_error *err)
{
    return affine(s, 1 / ((const struct operation *)config)->constant, 0, err);
}

static bool divide_gradient(const void *config, const struct step *s, strata_error *err)
{
    return affine_gradient(s, 1 / ((const struct operation *)config)->constant, err);
}

const struct layer_class strata_layer_divide_operation = {
    .class = { .name = "DivideOperation",
               .config_size = sizeof(struct operation),
               .fields = fields,
               .help = "x / constant in a graph of Keras" },
    .operation = "Divide",
    .module = "keras.src.ops.numpy",
    .shape = divide_shape,
    .forward = divide,
    .backward = divide_gradient,
    .merges = true,
};
