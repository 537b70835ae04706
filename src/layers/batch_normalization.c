/* BatchNormalization: in training by the mean and variance of the batch, which also move the moving statistics; else, and
 * when frozen, by the moving statistics.
 * Source: Keras 3's BatchNormalization, whose moving variance takes in the batch's plain variance; Keras 2 takes in
 * N / (N - 1) of it where it uses TensorFlow's fused kernel: on 4D and 5D input with the first or the last axis. */
#include "layers/axis.h"
#include "layers/fields_common.h"
#include "ops/normalize.h"

struct batch_normalization {
    struct ints axis;
    double momentum, epsilon;
    bool center, scale, synchronized, keras2;
    struct object beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer,
        beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint;
};

/* One axis: Keras 3 writes an integer, Keras 2 a list of it. */
static json_t *write_axis(const struct field *field, const void *at, enum flavour flavour)
{
    const struct ints *axis = at;
    if (flavour == STRATA_KERAS2) return json_pack("[I]", (json_int_t)axis->v[0]);
    return strata_axis_write(field, at, flavour);
}

static const struct field fields[] = {
    { "axis", FIELD_INTS, offsetof(struct batch_normalization, axis), .count = 1, .otherwise = -1,
      .min = -STRATA_MAX_RANK, .max = STRATA_MAX_RANK, .write = write_axis,
      .help = "the axis of the channels" },
    { "momentum", FIELD_FLOAT, offsetof(struct batch_normalization, momentum), .otherwise = 0.99, .min = 0,
      .max = 1, .help = "what the moving statistics keep at each step" },
    { "epsilon", FIELD_FLOAT, offsetof(struct batch_normalization, epsilon), .otherwise = 1e-3, .min = 0,
      .max = 1e30, .help = "added to the variance" },
    STRATA_FIELD_BOOL("center", struct batch_normalization, center, 1, "adds beta"),
    STRATA_FIELD_BOOL("scale", struct batch_normalization, scale, 1, "multiplies by gamma"),
    STRATA_FIELD_INITIALIZER("beta_initializer", struct batch_normalization, beta_initializer, "Zeros"),
    STRATA_FIELD_INITIALIZER("gamma_initializer", struct batch_normalization, gamma_initializer, "Ones"),
    STRATA_FIELD_INITIALIZER("moving_mean_initializer", struct batch_normalization, moving_mean_initializer,
                             "Zeros"),
    STRATA_FIELD_INITIALIZER("moving_variance_initializer", struct batch_normalization,
                             moving_variance_initializer, "Ones"),
    STRATA_FIELD_REGULARIZER("beta_regularizer", struct batch_normalization, beta_regularizer),
    STRATA_FIELD_REGULARIZER("gamma_regularizer", struct batch_normalization, gamma_regularizer),
    STRATA_FIELD_CONSTRAINT("beta_constraint", struct batch_normalization, beta_constraint),
    STRATA_FIELD_CONSTRAINT("gamma_constraint", struct batch_normalization, gamma_constraint),
    { "synchronized", FIELD_BOOL, offsetof(struct batch_normalization, synchronized), .only_keras3 = true,
      .help = "true: by the mean and variance of the whole batch; false: each rank by its part of it" },
    STRATA_FIELD_UNSET("renorm"),
    STRATA_FIELD_UNSET("renorm_clipping"),
    { "renorm_momentum", FIELD_CUSTOM, 0, .parse = strata_parse_ignored, .silent = true },
    { 0 },
};

static bool check(void *config, enum flavour flavour, strata_error *err)
{
    struct batch_normalization *c = config;
    (void)err;
    c->keras2 = flavour == STRATA_KERAS2;
    return true;
}

static bool shape(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct batch_normalization *c = config;
    unsigned mask;
    char text[STRATA_SHAPE_TEXT];
    *out = *in;
    if (strata_axis_mask(&c->axis, in->rank + 1, &mask) && mask != 1) return true;
    return strata_fail(err, STRATA_ESHAPE, "axis is %ld; the input %s has axes 1 to %d behind the batch",
                       c->axis.v[0], strata_layer_shape_text(in, text), in->rank);
}

static unsigned axis_mask(const struct batch_normalization *c, int rank)
{
    unsigned mask = 0;
    strata_axis_mask(&c->axis, rank, &mask);
    return mask;
}

static void ask_one(struct weights *ask, const char *name, size_t channels, const struct object *initializer,
                    const struct object *regularizer, const struct object *constraint)
{
    ask->spec[ask->count++] = (struct weight_spec){
        .name = name,
        .shape = { 1, { channels } },
        .initializer = initializer,
        .regularizer = regularizer,
        .constraint = constraint,
    };
}

static bool weights(const void *config, const struct shape *in, struct weights *ask, strata_error *err)
{
    const struct batch_normalization *c = config;
    const long axis = c->axis.v[0] < 0 ? c->axis.v[0] + in->rank : c->axis.v[0] - 1;
    const size_t channels = in->dim[axis];
    (void)err;
    if (c->scale)
        ask_one(ask, "gamma", channels, &c->gamma_initializer, &c->gamma_regularizer, &c->gamma_constraint);
    if (c->center)
        ask_one(ask, "beta", channels, &c->beta_initializer, &c->beta_regularizer, &c->beta_constraint);
    ask_one(ask, "moving_mean", channels, &c->moving_mean_initializer, NULL, NULL);
    ask_one(ask, "moving_variance", channels, &c->moving_variance_initializer, NULL, NULL);
    for (int i = ask->count - 2; i < ask->count; i++) {
        ask->spec[i].statistic = true;
        ask->spec[i].synchronized = c->synchronized;
    }
    return true;
}

/* Mean and variance of the batch. */
static size_t keep(const void *config, size_t n, const struct shape *in, const struct shape *out)
{
    const struct batch_normalization *c = config;
    const long axis = c->axis.v[0] < 0 ? c->axis.v[0] + in->rank : c->axis.v[0] - 1;
    (void)n;
    (void)out;
    return 2 * in->dim[axis];
}

static bool is_last_axis(const void *config, const struct shape *in)
{
    const struct batch_normalization *c = config;
    return c->axis.v[0] == -1 || c->axis.v[0] == in->rank;
}

static bool pools(const void *config, struct device *device, bool strict, const struct shape *in, const struct pooled *pooled)
{
    (void)device;
    (void)strict;
    (void)pooled;
    return in->rank == 3 && is_last_axis(config, in);
}

static struct normalize normalize_of(const struct batch_normalization *c, const struct step *s)
{
    struct normalize n = { .kind = NORMALIZE_BATCH,
                           .shape = s->x.shape,
                           .epsilon = c->epsilon,
                           .axes = axis_mask(c, s->x.shape.rank),
                           .activation = s->fused,
                           .exchange = c->synchronized ? s->exchange : NULL,
                           .pooled = s->pooled,
                           .moments = s->moments };
    if (c->scale) n.gamma = s->w[0];
    if (c->center) n.beta = s->w[c->scale];
    return n;
}

/* Where the moving mean is among the weights; the moving variance comes next. */
static int moving_at(const struct batch_normalization *c)
{
    return c->scale + c->center;
}

static double correction(const struct batch_normalization *c, int rank, size_t size)
{
    const long axis = c->axis.v[0] < 0 ? c->axis.v[0] + rank : c->axis.v[0];
    const bool fused = c->keras2 && (rank == 4 || rank == 5) && (axis == 1 || axis == rank - 1);
    return fused && size > 1 ? (double)size / ((double)size - 1) : 1;
}

static bool move(const struct batch_normalization *c, const struct step *s, const struct normalize *n,
                 strata_error *err)
{
    const size_t groups = strata_op_normalize_groups(n), size = strata_op_normalize_size(n);
    const double corrected = correction(c, s->x.shape.rank, size);
    const struct view variance = { .buffer = s->keep.buffer, .offset = s->keep.offset + groups, .shape = s->keep.shape };
    const int at = moving_at(c);
    return strata_op_moving_average(s->run, c->momentum, 1, &s->keep, &s->w[at], groups, err)
           && strata_op_moving_average(s->run, c->momentum, corrected, &variance, &s->w[at + 1], groups, err);
}

static bool forward(const void *config, const struct step *s, strata_error *err)
{
    const struct batch_normalization *c = config;
    const struct normalize n = normalize_of(c, s);
    const int at = moving_at(c);
    if (!s->training)
        return strata_op_normalize_with(s->run, &n, &s->x, &s->w[at], &s->w[at + 1], &s->y, err);
    return strata_op_normalize(s->run, &n, &s->x, &s->keep, &s->y, err) && move(c, s, &n, err);
}

static bool affine(const void *config, const struct step *s, const struct view *bias, const struct view *affine,
                   strata_error *err)
{
    const struct batch_normalization *c = config;
    const struct normalize n = normalize_of(c, s);
    const int at = moving_at(c);
    return strata_op_normalize_fold(s->run, &n, &s->w[at], &s->w[at + 1], bias, affine, err);
}

static bool backward(const void *config, const struct step *s, strata_error *err)
{
    const struct batch_normalization *c = config;
    const struct normalize n = normalize_of(c, s);
    const int at = moving_at(c);
    struct normalize_gradient g = { .x = s->x,
                                    .dy = s->dy,
                                    .dx = s->dx,
                                    .constant_stats = !s->training,
                                    .mean = s->w[at],
                                    .variance = s->w[at + 1] };
    if (s->training) {
        g.mean = g.variance = s->keep;
        g.variance.offset += strata_op_normalize_groups(&n);
    }
    if (c->scale) g.dgamma = s->dw[0];
    if (c->center) g.dbeta = s->dw[c->scale];
    return strata_op_normalize_gradient(s->run, &n, &g, err);
}

const struct layer_class strata_layer_batch_normalization = {
    .class = { .name = "BatchNormalization",
               .config_size = sizeof(struct batch_normalization),
               .fields = fields,
               .check = check,
               .help = "normalizes each channel over the batch" },
    .shape = shape,
    .weights = weights,
    .forward = forward,
    .backward = backward,
    .halves = strata_halves_always,
    .keep = keep,
    .needs_x = true,
    .fuses = true,
    .fuses_gradient = true,
    .takes_moments = is_last_axis,
    .pools = pools,
    .affine_on = is_last_axis,
    .affine = affine,
    .trainable_inference = 1,
};
