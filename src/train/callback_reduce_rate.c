/* ReduceLROnPlateau. Source: keras/src/callbacks/reduce_lr_on_plateau.py. */
#include <math.h>

#include "train/callback_list.h"
#include "train/callback_monitor.h"
#include "train/history.h"

struct config {
    struct monitor monitor;
    double factor, min_rate;
    long patience, verbose, cooldown;
};

struct state {
    double best;
    long wait, cooldown;
    bool began;
};

static const struct field fields[] = {
    MONITOR_FIELDS(config, monitor),
    MONITOR_DELTA(config, monitor, 1e-4),
    { "factor", FIELD_FLOAT, offsetof(struct config, factor), .otherwise = 0.1, .min = 0, .max = 0.9999999,
      .help = "the rate is multiplied by this" },
    { "patience", FIELD_INT, offsetof(struct config, patience), .otherwise = 10, .min = 0, .max = INFINITY },
    { "verbose", FIELD_INT, offsetof(struct config, verbose), .otherwise = 0 },
    { "cooldown", FIELD_INT, offsetof(struct config, cooldown), .otherwise = 0, .min = 0, .max = INFINITY,
      .help = "epochs after a reduction before the next is thought of" },
    { "min_lr", FIELD_FLOAT, offsetof(struct config, min_rate), .otherwise = 0, .min = 0, .max = INFINITY },
    { 0 },
};

static bool train_begin(const void *config, void *memory, struct callback_step *step, strata_error *err)
{
    struct state *s = memory;
    (void)config;
    if (step->has_schedule)
        return strata_fail(err, STRATA_EJOB, "the optimizer's learning_rate is a schedule; give it a number to be reduced");
    if (!s->began) s->best = NAN;
    s->began = true;
    return true;
}

static void reduce(const struct config *c, struct state *s, struct callback_step *step)
{
    if (step->learning_rate <= (double)(float)c->min_rate) return;
    step->learning_rate = fmax(step->learning_rate * c->factor, c->min_rate);
    s->cooldown = c->cooldown;
    s->wait = 0;
}

static bool epoch_end(const void *config, void *memory, struct callback_step *step, strata_error *err)
{
    const struct config *c = config;
    struct state *s = memory;
    double value;
    bool better, there;
    if (!strata_monitor_value(&c->monitor, step, &value, &there, err)) return false;
    if (!there) return true;
    if (s->cooldown > 0) {
        s->cooldown--;
        s->wait = 0;
    }
    if (!strata_monitor_better(&c->monitor, step, value, s->best, &better, err)) return false;
    if (better) {
        s->best = value;
        s->wait = 0;
    } else if (s->cooldown == 0 && ++s->wait >= c->patience) {
        reduce(c, s, step);
    }
    return true;
}

static json_t *save(const void *memory)
{
    const struct state *s = memory;
    return json_pack("{s:I, s:I, s:o}", "wait", (json_int_t)s->wait, "cooldown", (json_int_t)s->cooldown, "best",
                     strata_exact_number(s->best));
}

static bool restore(void *memory, const json_t *json, strata_error *err)
{
    struct state *s = memory;
    s->wait = (long)json_integer_value(json_object_get(json, "wait"));
    s->cooldown = (long)json_integer_value(json_object_get(json, "cooldown"));
    s->began = true;
    return strata_exact_value(json_object_get(json, "best"), &s->best)
           || strata_fail(err, STRATA_EFILE, "its state in the checkpoint has no number \"best\"");
}

static const char *const names[] = { "reduce_lr_on_plateau", "ReduceLearningRateOnPlateau", NULL };

const struct callback_class strata_callback_reduce_rate = {
    .class = { .name = "ReduceLROnPlateau", .config_size = sizeof(struct config), .fields = fields, .aliases = names,
               .help = "lowers the learning rate when a number gets no better" },
    .state_size = sizeof(struct state), .logs_rate = true, .train_begin = train_begin, .epoch_end = epoch_end,
    .save = save, .restore = restore,
};
