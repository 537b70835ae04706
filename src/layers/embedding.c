/* Embedding: integers to rows of a table that is learned. */
#include "layers/fields_common.h"
#include "ops/map.h"

struct embedding {
    long input_dim, output_dim;
    bool mask_zero;
    struct object embeddings_initializer, embeddings_regularizer, activity_regularizer, embeddings_constraint;
};

static const struct field fields[] = {
    { "input_dim", FIELD_INT, offsetof(struct embedding, input_dim), .required = true, .min = 1,
      .max = 2147483647, .help = "how many integers there are, from 0 on" },
    { "output_dim", FIELD_INT, offsetof(struct embedding, output_dim), .required = true, .min = 1, .max = 1e9,
      .help = "numbers a row" },
    STRATA_FIELD_INITIALIZER("embeddings_initializer", struct embedding, embeddings_initializer,
                             "RandomUniform"),
    STRATA_FIELD_REGULARIZER("embeddings_regularizer", struct embedding, embeddings_regularizer),
    STRATA_FIELD_REGULARIZER("activity_regularizer", struct embedding, activity_regularizer),
    STRATA_FIELD_CONSTRAINT("embeddings_constraint", struct embedding, embeddings_constraint),
    STRATA_FIELD_BOOL("mask_zero", struct embedding, mask_zero, 0, "only false: layers see no masks"),
    { "input_length", FIELD_CUSTOM, 0, .parse = strata_parse_ignored, .silent = true },
    STRATA_FIELD_UNSET("quantization_config"),
    STRATA_FIELD_UNSET("lora_rank"),
    { 0 },
};

static bool check(void *config, enum flavour flavour, strata_error *err)
{
    const struct embedding *c = config;
    (void)flavour;
    return !c->mask_zero
           || strata_fail(err, STRATA_EVALUE,
                          "mask_zero is true, which is not supported: layers see no masks; use false");
}

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct embedding *c = config;
    char text[STRATA_SHAPE_TEXT];
    if (in->rank + 2 > STRATA_MAX_RANK)
        return strata_fail(err, STRATA_ESHAPE, "input has shape %s; Embedding takes at most %d axes",
                           strata_layer_shape_text(in, text), STRATA_MAX_RANK - 1);
    *out = *in;
    out->dim[out->rank++] = (size_t)c->output_dim;
    return true;
}

static bool weights(const void *config, const struct shape *in, struct weights *ask, strata_error *err)
{
    const struct embedding *c = config;
    (void)in;
    (void)err;
    ask->spec[ask->count++] = (struct weight_spec){
        .name = "embeddings",
        .shape = { 2, { (size_t)c->input_dim, (size_t)c->output_dim } },
        .initializer = &c->embeddings_initializer,
        .regularizer = &c->embeddings_regularizer,
        .constraint = &c->embeddings_constraint,
        .squares = true,
    };
    return true;
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    const struct embedding *c = config;
    const size_t n = strata_view_count(&s->x);
    const struct arg args[] = { arg_view(&s->x),
                                arg_view(&s->w[0]),
                                arg_view(&s->y),
                                arg_int((int32_t)c->input_dim),
                                arg_int((int32_t)c->output_dim),
                                arg_int((int32_t)n),
                                { 0 } };
    const struct launch launch = {
        .kernel = "embedding:forward", .args = args, .dims = 2, .global = { (size_t)c->output_dim, n }
    };
    return strata_launch(s->run, &launch, err);
}

/* The squares are what Keras's optimizers see on TensorFlow: there the gradient of a table is a list of rows, one for each
 * index, which is squared before it is summed. */
static bool backward(const void *config, const struct step *s, strata_error *err)
{
    const struct embedding *c = config;
    const size_t n = strata_view_count(&s->x), shares = c->input_dim < 32 ? (size_t)c->input_dim : 32;
    const struct arg args[] = { arg_view(&s->x),
                                arg_view(&s->dy),
                                arg_view(&s->dw[0]),
                                arg_view(&s->dw_squares),
                                arg_int((int32_t)c->input_dim),
                                arg_int((int32_t)c->output_dim),
                                arg_int((int32_t)n),
                                arg_int((int32_t)shares),
                                { 0 } };
    const struct launch launch = {
        .kernel = "embedding:gradient", .args = args, .dims = 2, .global = { (size_t)c->output_dim, shares }
    };
    return !s->dw[0].buffer
           || (strata_op_zero(s->run, &s->dw[0], err)
               && (!s->dw_squares.buffer || strata_op_zero(s->run, &s->dw_squares, err))
               && strata_launch(s->run, &launch, err));
}

const struct layer_class strata_layer_embedding = {
    .class = { .name = "Embedding",
               .config_size = sizeof(struct embedding),
               .fields = fields,
               .check = check,
               .help = "integers to rows of a table" },
    .shape = shape,
    .weights = weights,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
    .integer_input = true,
    .activity_regularizer = offsetof(struct embedding, activity_regularizer) + 1,
};
