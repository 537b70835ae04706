/* Losses over the classes of the last axis. Source: keras/src/losses/losses.py, backend/tensorflow/nn.py. */
#include "train/loss_fields.h"

#include <stdio.h>

#include "ops/map.h"

struct categorical {
    struct loss_common common;
    double smoothing, alpha, gamma; /* the last two of the focal form */
    long ignore_class;
    double q;
};

/* ---- labels as rows of chances ------------------------------------------------------------------------------------ */

static const struct field categorical_fields[] = {
    LOSS_FIELDS("categorical_crossentropy"),
    LOSS_LOGITS,
    LOSS_NUMBER("label_smoothing", categorical, smoothing, 0, 0, 1),
    LOSS_AXIS,
    { 0 },
};

static const struct field focal_fields[] = {
    LOSS_FIELDS("categorical_focal_crossentropy"),
    LOSS_LOGITS,
    LOSS_NUMBER("label_smoothing", categorical, smoothing, 0, 0, 1),
    LOSS_AXIS,
    LOSS_NUMBER("alpha", categorical, alpha, 0.25, 0, INFINITY),
    LOSS_NUMBER("gamma", categorical, gamma, 2, 0, INFINITY),
    { 0 },
};

static const struct field plain_cosine_fields[] = { LOSS_FIELDS("cosine_similarity"), LOSS_AXIS, { 0 } };
static const struct field hinge_fields[] = { LOSS_FIELDS("categorical_hinge"), { 0 } };

/* On CPUs a row is gone through by vectors. */
static bool launch(const struct loss_step *s, const char *kernel, const struct arg *more, strata_error *err)
{
    enum { WIDEST = 16 };
    char options[16];
    snprintf(options, sizeof options, "-DVW=%d", strata_op_vector_width(s->run, WIDEST));
    return strata_loss_launch(s, kernel, options, more, err);
}

static bool emit_categorical(const void *config, const struct loss_step *s, strata_error *err)
{
    const struct categorical *c = config;
    const bool logits = s->at_logits || c->common.from_logits;
    const struct arg more[] = { arg_float(1 - c->smoothing), arg_float(c->smoothing / (double)s->columns), { 0 } };
    return launch(s, logits ? "loss_categorical:softmax_logits" : "loss_categorical:probabilities", more, err);
}

static bool emit_focal(const void *config, const struct loss_step *s, strata_error *err)
{
    const struct categorical *c = config;
    const struct arg more[] = { arg_float(1 - c->smoothing), arg_float(c->smoothing / (double)s->columns),
                                arg_float(c->alpha),         arg_float(c->gamma),
                                arg_int(c->common.from_logits), { 0 } };
    return launch(s, "loss_categorical:focal", more, err);
}

static bool emit_cosine(const void *config, const struct loss_step *s, strata_error *err)
{
    const struct arg more[] = { { 0 } };
    (void)config;
    return launch(s, "loss_categorical:cosine_similarity", more, err);
}

static bool emit_hinge(const void *config, const struct loss_step *s, strata_error *err)
{
    const struct arg more[] = { { 0 } };
    (void)config;
    return launch(s, "loss_categorical:categorical_hinge", more, err);
}

const struct loss_class strata_loss_categorical = {
    .class = { .name = "CategoricalCrossentropy", .config_size = sizeof(struct categorical),
               .fields = categorical_fields, .check = strata_loss_check_common,
               .help = "crossentropy; labels one-hot or chances" },
    .at_logits = strata_loss_takes_logits, .emit = emit_categorical,
};
const struct loss_class strata_loss_focal = {
    .class = { .name = "CategoricalFocalCrossentropy", .config_size = sizeof(struct categorical),
               .fields = focal_fields, .check = strata_loss_check_common,
               .help = "crossentropy with less weight on what is right already" },
    .emit = emit_focal,
};
const struct loss_class strata_loss_cosine = {
    .class = { .name = "CosineSimilarity", .config_size = sizeof(struct loss_common), .fields = plain_cosine_fields,
               .check = strata_loss_check_common, .help = "minus the cosine of the angle between y and p" },
    .emit = emit_cosine,
};
const struct loss_class strata_loss_categorical_hinge = {
    .class = { .name = "CategoricalHinge", .config_size = sizeof(struct loss_common), .fields = hinge_fields,
               .check = strata_loss_check_common, .help = "max(1 + max((1 - y) p) - sum(y p), 0)" },
    .emit = emit_hinge,
};

/* ---- labels as class indices ---------------------------------------------------------------------------------------- */

static const struct field sparse_fields[] = {
    LOSS_FIELDS("sparse_categorical_crossentropy"),
    LOSS_LOGITS,
    { "ignore_class", FIELD_INT, offsetof(struct categorical, ignore_class), .nullable = true, .null_default = true },
    { "axis", FIELD_INT, offsetof(struct loss_common, axis), .otherwise = -1, .min = -1, .max = -1, .only_keras2 = true },
    { 0 },
};

static const struct field generalized_fields[] = {
    LOSS_FIELDS("categorical_generalized_cross_entropy"),
    { "q", FIELD_FLOAT, offsetof(struct categorical, q), .otherwise = 0.5, .min = 0, .max = 1, .above_min = true },
    { 0 },
};

static bool check_sparse(void *config, enum flavour flavour, strata_error *err)
{
    if (((const struct categorical *)config)->ignore_class != STRATA_NO_INT)
        return strata_fail(err, STRATA_EVALUE,
                           "ignore_class is not offered; leave it out and give those samples the weight 0");
    return strata_loss_check_common(config, flavour, err);
}

static bool emit_sparse(const void *config, const struct loss_step *s, strata_error *err)
{
    const struct categorical *c = config;
    const bool logits = s->at_logits || c->common.from_logits;
    const struct arg more[] = { { 0 } };
    return launch(s, logits ? "loss_categorical:sparse_logits" : "loss_categorical:sparse_probabilities", more, err);
}

static bool emit_generalized(const void *config, const struct loss_step *s, strata_error *err)
{
    const struct arg more[] = { arg_float(((const struct categorical *)config)->q), { 0 } };
    return launch(s, "loss_categorical:generalized", more, err);
}

const struct loss_class strata_loss_sparse = {
    .class = { .name = "SparseCategoricalCrossentropy", .config_size = sizeof(struct categorical),
               .fields = sparse_fields, .check = check_sparse, .help = "crossentropy; labels are class indices" },
    .index_labels = true, .at_logits = strata_loss_takes_logits, .check = strata_loss_check_index,
    .emit = emit_sparse,
};
const struct loss_class strata_loss_generalized = {
    .class = { .name = "CategoricalGeneralizedCrossEntropy", .config_size = sizeof(struct categorical),
               .fields = generalized_fields, .check = strata_loss_check_common,
               .help = "(1 - p^q) / q of the label's class, for labels that may be wrong" },
    .index_labels = true, .check = strata_loss_check_index, .emit = emit_generalized,
};
