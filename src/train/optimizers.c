/* The registry of optimizers and what their configs share. */
#include "train/optimizer_fields.h"

static const struct class *const classes[] = {
    &strata_optimizer_sgd.class,     &strata_optimizer_adam.class,     &strata_optimizer_adam_w.class,
    &strata_optimizer_rmsprop.class, &strata_optimizer_adagrad.class,  &strata_optimizer_adadelta.class,
    &strata_optimizer_adamax.class,  &strata_optimizer_nadam.class,    &strata_optimizer_ftrl.class,
    &strata_optimizer_lion.class,    NULL,
};

const struct registry strata_optimizers = { "optimizer", "keras.optimizers", classes };

bool strata_learning_rate_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                                strata_error *err)
{
    if (!json_is_number(json))
        return strata_object_parse(&strata_schedules, json, flavour, at, err) || strata_fail_in(err, "%s", field->name);
    const double rate = json_number_value(json);
    if (!(rate >= 0))
        return strata_fail(err, STRATA_EVALUE, "%s is %g; it must be at least 0", field->name, rate);
    json_t *constant = json_pack("{s:{s:f}}", STRATA_CONSTANT_RATE, "value", rate);
    const bool ok = constant ? strata_object_parse(&strata_schedules, constant, flavour, at, err)
                             : strata_fail(err, STRATA_EMEMORY, "out of memory");
    json_decref(constant);
    return ok;
}

json_t *strata_learning_rate_write(const struct field *field, const void *at, enum flavour flavour)
{
    const struct object *schedule = at;
    strata_error err = { 0 };
    (void)field;
    if (strata_schedule_is_constant(schedule)) return json_real(strata_schedule_value(schedule, 0));
    return strata_object_write(&strata_schedules, schedule, flavour, &err);
}

void strata_learning_rate_release(void *at)
{
    strata_object_release(at);
}

/* Keras 2's old optimizers: rate / (1 + decay * iteration). */
static bool apply_old_decay(struct optimizer_common *common, strata_error *err)
{
    json_t *spec = json_pack("{s:{s:f,s:f,s:f}}", "InverseTimeDecay", "initial_learning_rate",
                             strata_schedule_value(&common->learning_rate, 0), "decay_steps", 1.0, "decay_rate",
                             common->decay);
    if (!spec) return strata_fail(err, STRATA_EMEMORY, "out of memory");
    strata_object_release(&common->learning_rate);
    const bool ok = strata_object_parse(&strata_schedules, spec, STRATA_KERAS3, &common->learning_rate, err);
    json_decref(spec);
    return ok;
}

bool strata_optimizer_check(void *config, enum flavour flavour, strata_error *err)
{
    struct optimizer_common *c = config;
    (void)flavour;
    if (!c->learning_rate.class) return strata_fail(err, STRATA_EVALUE, "learning_rate is null; a number is expected");
    if (!isnan(c->clipnorm) + !isnan(c->clipvalue) + !isnan(c->global_clipnorm) > 1)
        return strata_fail(err, STRATA_EVALUE,
                           "more than one of clipnorm, clipvalue and global_clipnorm is set; leave the others out");
    if (c->decay > 0 && strata_schedule_is_constant(&c->learning_rate)) return apply_old_decay(c, err);
    return true;
}
