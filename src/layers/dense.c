/* Dense: y = activation(x kernel + bias) along the last axis, any rank. */
#include "layers/fields_common.h"

#include "ops/gemm.h"
#include "ops/reduce.h"

struct dense {
    long units;
    int activation;
    bool use_bias;
    struct object kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
        activity_regularizer, kernel_constraint, bias_constraint;
};

static const struct field fields[] = {
    { "units", FIELD_INT, offsetof(struct dense, units), .required = true, .min = 1, .max = 1e9,
      .help = "outputs a sample" },
    STRATA_FIELD_ACTIVATION(struct dense, activation),
    STRATA_FIELD_BOOL("use_bias", struct dense, use_bias, 1, "adds a bias"),
    STRATA_FIELD_INITIALIZER("kernel_initializer", struct dense, kernel_initializer, "GlorotUniform"),
    STRATA_FIELD_INITIALIZER("bias_initializer", struct dense, bias_initializer, "Zeros"),
    STRATA_FIELD_REGULARIZER("kernel_regularizer", struct dense, kernel_regularizer),
    STRATA_FIELD_REGULARIZER("bias_regularizer", struct dense, bias_regularizer),
    STRATA_FIELD_REGULARIZER("activity_regularizer", struct dense, activity_regularizer),
    STRATA_FIELD_CONSTRAINT("kernel_constraint", struct dense, kernel_constraint),
    STRATA_FIELD_CONSTRAINT("bias_constraint", struct dense, bias_constraint),
    STRATA_FIELD_UNSET("quantization_config"),
    STRATA_FIELD_UNSET("lora_rank"),
    { 0 },
};

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct dense *c = config;
    char text[STRATA_SHAPE_TEXT];
    if (in->rank < 1)
        return strata_fail(err, STRATA_ESHAPE,
                           "input has shape %s; Dense needs at least 2 axes: (batch, features)",
                           strata_layer_shape_text(in, text));
    *out = *in;
    out->dim[in->rank - 1] = (size_t)c->units;
    return true;
}

static bool weights(const void *config, const struct shape *in, struct weights *ask, strata_error *err)
{
    const struct dense *c = config;
    const size_t units = (size_t)c->units;
    (void)err;
    ask->spec[ask->count++] = (struct weight_spec){
        .name = "kernel",
        .shape = { 2, { in->dim[in->rank - 1], units } },
        .initializer = &c->kernel_initializer,
        .regularizer = &c->kernel_regularizer,
        .constraint = &c->kernel_constraint,
    };
    if (c->use_bias)
        ask->spec[ask->count++] = (struct weight_spec){
            .name = "bias",
            .shape = { 1, { units } },
            .initializer = &c->bias_initializer,
            .regularizer = &c->bias_regularizer,
            .constraint = &c->bias_constraint,
        };
    return true;
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    const struct dense *c = config;
    const struct gemm gemm = {
        .m = strata_view_rows(&s->x),
        .n = (size_t)c->units,
        .k = strata_view_columns(&s->x),
        .a = s->x,
        .b = s->w[0],
        .c = s->y,
        .tail = strata_step_tail(s, c->use_bias ? &s->w[1] : NULL),
    };
    return strata_op_gemm(s->run, &gemm, err);
}

static bool kernel_gradient(const struct step *s, size_t rows, size_t units, strata_error *err)
{
    const struct gemm gemm = {
        .m = strata_view_columns(&s->x),
        .n = units,
        .k = rows,
        .grain = s->grain * (rows / s->dy.shape.dim[0]),
        .transpose_a = true,
        .a = s->x,
        .b = s->dy,
        .c = s->dw[0],
    };
    return !s->dw[0].buffer || strata_op_gemm(s->run, &gemm, err);
}

static bool input_gradient(const struct step *s, size_t rows, size_t units, strata_error *err)
{
    const struct gemm gemm = {
        .m = rows,
        .n = strata_view_columns(&s->dx),
        .k = units,
        .transpose_b = true,
        .a = s->dy,
        .b = s->w[0],
        .c = s->dx,
    };
    return !s->dx.buffer || strata_op_gemm(s->run, &gemm, err);
}

static bool bias_gradient(const struct step *s, size_t rows, size_t units, strata_error *err)
{
    const size_t each = s->grain * (rows / s->dy.shape.dim[0]);
    return !s->dw[1].buffer || strata_op_sum_grains(s->run, &s->dy, rows, units, each, &s->dw[1], err);
}

static bool sums_grains(const void *config, struct device *device, bool strict, const struct shape *in)
{
    (void)config;
    (void)strict;
    (void)in;
    return strata_op_gemm_grains(device);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    const struct dense *c = config;
    const size_t units = (size_t)c->units, rows = strata_view_rows(&s->dy);
    return kernel_gradient(s, rows, units, err)
           && bias_gradient(s, rows, units, err)
           && input_gradient(s, rows, units, err);
}

const struct layer_class strata_layer_dense = {
    .class = { .name = "Dense",
               .config_size = sizeof(struct dense),
               .fields = fields,
               .help = "every output sees every input" },
    .shape = shape,
    .weights = weights,
    .forward = forward,
    .backward = backward,
    .sums_grains = sums_grains,
    .needs_x = true,
    .fuses = true,
    .adds_bias = true,
    .activation = offsetof(struct dense, activation) + 1,
    .activity_regularizer = offsetof(struct dense, activity_regularizer) + 1,
};
