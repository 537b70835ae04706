/* The registry of losses and what they share. */
#include "train/loss_fields.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "layers/layer.h"
#include "ops/map.h"

static const struct class *const classes[] = {
    &strata_loss_binary.class,   &strata_loss_binary_focal.class, &strata_loss_categorical.class,
    &strata_loss_focal.class,    &strata_loss_generalized.class,  &strata_loss_sparse.class,
    &strata_loss_mse.class,      &strata_loss_mae.class,          &strata_loss_mape.class,
    &strata_loss_msle.class,     &strata_loss_huber.class,        &strata_loss_log_cosh.class,
    &strata_loss_poisson.class,  &strata_loss_kl.class,           &strata_loss_cosine.class,
    &strata_loss_hinge.class,    &strata_loss_squared_hinge.class, &strata_loss_categorical_hinge.class,
    NULL,
};

const struct registry strata_losses = { "loss", "keras.losses", classes };

const char *const strata_loss_reductions[] = { "sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "auto",
                                               NULL };

bool strata_loss_check_common(void *config, enum flavour flavour, strata_error *err)
{
    struct loss_common *c = config;
    (void)flavour;
    (void)err;
    if (c->reduction == LOSS_AUTO) c->reduction = LOSS_MEAN;
    return true;
}

bool strata_loss_takes_logits(const void *config, enum activation_kind last)
{
    (void)config;
    return last == ACTIVATION_SOFTMAX || last == ACTIVATION_SIGMOID;
}

bool strata_loss_at_logits(const struct object *loss, enum activation_kind last)
{
    const struct loss_class *class = (const struct loss_class *)loss->class;
    return class->at_logits && class->at_logits(loss->config, last);
}

size_t strata_loss_rows(const struct shape *y_pred)
{
    const size_t columns = y_pred->rank > 0 ? y_pred->dim[y_pred->rank - 1] : 1;
    return columns > 0 ? strata_shape_count(y_pred) / columns : 0;
}

bool strata_loss_launch(const struct loss_step *s, const char *kernel, const char *options, const struct arg *more,
                        strata_error *err)
{
    enum { SHARED = 8, MOST = 7 };
    struct arg args[SHARED + MOST + 1] = {
        arg_view(&s->plan.at), arg_view(&s->y_true),
        arg_view(&s->weight),  arg_view(&s->plan.d),
        arg_view(&s->values),  arg_buffer(s->plan.step_words),
        arg_int((int32_t)s->columns), arg_int((int32_t)s->sample_rows),
    };
    int count = 0;
    for (; more[count].type != ARG_END; count++) {
        assert(count < MOST);
        args[SHARED + count] = more[count];
    }
    return strata_op_map(s->run, kernel, options, args, s->rows, err);
}

/* ---- shapes of labels ------------------------------------------------------------------------------------------------ */

static bool is_head(const struct shape *head, const struct shape *shape)
{
    struct shape cut = *shape;
    if (cut.rank == 0) return false;
    cut.dim[--cut.rank] = 0;
    return strata_shape_equal(head, &cut);
}

static size_t last_extent(const struct shape *shape)
{
    return shape->rank > 0 ? shape->dim[shape->rank - 1] : 1;
}

/* Equal, or one has a last axis of extent 1 more. */
static bool fits_elements(const struct shape *y_true, const struct shape *y_pred)
{
    return strata_shape_equal(y_true, y_pred) || (last_extent(y_pred) == 1 && is_head(y_true, y_pred))
           || (last_extent(y_true) == 1 && is_head(y_pred, y_true));
}

static bool does_not_fit(const struct shape *y_true, const struct shape *y_pred, const char *advice, strata_error *err)
{
    char labels[STRATA_SHAPE_TEXT], outputs[STRATA_SHAPE_TEXT];
    return strata_fail(err, STRATA_ESHAPE, "the labels have shape %s, the model's output %s; %s",
                       strata_shape_text(y_true, "None", labels), strata_shape_text(y_pred, "None", outputs), advice);
}

bool strata_loss_check_index(const void *config, const struct shape *y_true, const struct shape *y_pred,
                             strata_error *err)
{
    struct shape cut = *y_true;
    (void)config;
    if (is_head(y_true, y_pred)) return true;
    if (cut.rank > 0 && cut.dim[cut.rank - 1] == 1) {
        cut.dim[--cut.rank] = 0;
        if (is_head(&cut, y_pred)) return true;
    }
    return does_not_fit(y_true, y_pred,
                        "class indices need one number where the output has its last axis; for one-hot labels use "
                        "CategoricalCrossentropy",
                        err);
}

bool strata_loss_check(const struct object *loss, const struct shape *y_true, const struct shape *y_pred,
                       strata_error *err)
{
    const struct loss_class *class = (const struct loss_class *)loss->class;
    const bool ok = class->check ? class->check(loss->config, y_true, y_pred, err)
                    : fits_elements(y_true, y_pred)
                        ? true
                        : does_not_fit(y_true, y_pred,
                                       "they must have the same shape (class indices go with "
                                       "SparseCategoricalCrossentropy)",
                                       err);
    return ok || strata_fail_in(err, "%s", loss->class->name);
}

/* ---- names that depend on the shapes ------------------------------------------------------------------------------------ */

static bool is_crossentropy(const json_t *spec)
{
    const char *name = json_string_value(spec);
    return name && (strcasecmp(name, "crossentropy") == 0 || strcasecmp(name, "ce") == 0);
}

bool strata_loss_resolve(const json_t *spec, enum flavour flavour, const struct shape *y_true,
                         const struct shape *y_pred, struct object *loss, strata_error *err)
{
    if (!is_crossentropy(spec)) return strata_object_parse(&strata_losses, spec, flavour, loss, err);
    const bool binary = last_extent(y_pred) == 1;
    const bool sparse = y_true->rank < y_pred->rank || last_extent(y_true) == 1;
    return strata_object_make(&strata_losses,
                              binary   ? "BinaryCrossentropy"
                              : sparse ? "SparseCategoricalCrossentropy"
                                       : "CategoricalCrossentropy",
                              loss, err);
}
