/* LearningRateScheduler: the rate of each epoch from a table or a formula. Keras takes a Python function instead.
 *
 *   "schedule": "lr * 0.9"                  a formula of epoch (from 0) and lr, the rate so far
 *   "schedule": {"0": 0.01, "10": 0.001}    from that epoch on */
#include <math.h>
#include <stdlib.h>

#include "train/callback_list.h"
#include "train/formula.h"

struct config {
    json_t *schedule; /* owned */
    long verbose;
};

static bool check_formula(const char *text, strata_error *err)
{
    const struct variable variables[] = { { "epoch", 1 }, { "lr", 0.1 } };
    double ignored;
    return strata_formula(text, variables, 2, &ignored, err);
}

static bool is_epoch(const char *key)
{
    char *end;
    return *key >= '0' && *key <= '9' && (strtol(key, &end, 10), *end == '\0');
}

static bool parse(const struct field *field, const json_t *json, enum flavour flavour, void *at, strata_error *err)
{
    const char *key;
    json_t *value;
    (void)flavour;
    if (json_is_string(json)) {
        if (!check_formula(json_string_value(json), err)) return strata_fail_in(err, "%s", field->name);
    } else if (json_object_size(json) == 0) {
        return strata_fail(err, STRATA_EVALUE, "%s must be a formula such as \"lr * 0.9\" or a table such as {\"10\": 0.001}",
                           field->name);
    }
    json_object_foreach((json_t *)json, key, value)
    {
        if (!is_epoch(key) || !(json_number_value(value) >= 0) || !json_is_number(value))
            return strata_fail(err, STRATA_EVALUE, "%s: \"%s\" must be an epoch and its value a learning rate", field->name, key);
    }
    *(json_t **)at = json_incref((json_t *)json);
    return true;
}

static json_t *write(const struct field *field, const void *at, enum flavour flavour)
{
    (void)field;
    (void)flavour;
    return json_incref(*(json_t *const *)at);
}

static void release(void *at)
{
    json_decref(*(json_t **)at);
    *(json_t **)at = NULL;
}

static const struct field fields[] = {
    { "schedule", FIELD_CUSTOM, offsetof(struct config, schedule), .required = true, .parse = parse, .write = write,
      .release = release, .help = "a formula of epoch and lr, or a table from epochs to rates" },
    { "verbose", FIELD_INT, offsetof(struct config, verbose), .otherwise = 0 },
    { 0 },
};

/* The entry of the latest epoch that is not after this one; before the first the rate stays. */
static double from_table(const json_t *table, size_t epoch, double rate)
{
    const char *key;
    json_t *value;
    long latest = -1;
    json_object_foreach((json_t *)table, key, value)
    {
        const long from = strtol(key, NULL, 10);
        if (from > (long)epoch || from <= latest) continue;
        latest = from;
        rate = json_number_value(value);
    }
    return rate;
}

static bool epoch_begin(const void *config, void *state, struct callback_step *step, strata_error *err)
{
    const struct config *c = config;
    const size_t epoch = step->progress->epoch;
    (void)state;
    double rate = step->learning_rate;
    if (step->has_schedule)
        return strata_fail(err, STRATA_EJOB, "the optimizer's learning_rate is a schedule already; give it a number");
    if (json_is_string(c->schedule)) {
        const struct variable variables[] = { { "epoch", (double)epoch }, { "lr", rate } };
        if (!strata_formula(json_string_value(c->schedule), variables, 2, &rate, err)) return false;
    } else {
        rate = from_table(c->schedule, epoch, rate);
    }
    if (!(rate >= 0) || isinf(rate))
        return strata_fail(err, STRATA_EVALUE, "schedule gives the learning rate %g in epoch %zu", rate, epoch);
    step->learning_rate = rate;
    return true;
}

const struct callback_class strata_callback_rate_scheduler = {
    .class = { .name = "LearningRateScheduler", .config_size = sizeof(struct config), .fields = fields,
               .help = "the learning rate of each epoch, from a formula or a table" },
    .logs_rate = true, .epoch_begin = epoch_begin,
};
