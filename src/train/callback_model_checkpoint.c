/* ModelCheckpoint. Source: keras/src/callbacks/model_checkpoint.py. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/callback_list.h"
#include "train/callback_monitor.h"
#include "train/history.h"

enum { EVERY_EPOCH = 0 };

struct config {
    char *path;
    struct monitor monitor;
    long verbose, every; /* EVERY_EPOCH, or so many steps */
    bool best_only, weights_only;
    double threshold; /* NAN: none */
};

struct state {
    double best;
    bool began;
    size_t epoch, step, since; /* steps since the last save, counted up to `step` of `epoch` */
};

static bool parse_every(const struct field *field, const json_t *json, enum flavour flavour, void *at, strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    (void)flavour;
    if (json_is_string(json) && strcmp(json_string_value(json), "epoch") == 0)
        *(long *)at = EVERY_EPOCH;
    else if (json_is_integer(json) && json_integer_value(json) > 0)
        *(long *)at = (long)json_integer_value(json);
    else
        return strata_fail(err, STRATA_EVALUE, "%s is %s; it must be \"epoch\" or a number of steps", field->name,
                           strata_json_brief(json, brief));
    return true;
}

static json_t *write_every(const struct field *field, const void *at, enum flavour flavour)
{
    const long every = *(const long *)at;
    (void)field;
    (void)flavour;
    return every == EVERY_EPOCH ? json_string("epoch") : json_integer(every);
}

static const struct field fields[] = {
    { "filepath", FIELD_STRING, offsetof(struct config, path), .required = true,
      .help = "may hold {epoch:02d}, {val_loss:.4f} and the like" },
    MONITOR_FIELDS(config, monitor),
    { "verbose", FIELD_INT, offsetof(struct config, verbose), .otherwise = 0 },
    { "save_best_only", FIELD_BOOL, offsetof(struct config, best_only), .otherwise = false },
    { "save_weights_only", FIELD_BOOL, offsetof(struct config, weights_only), .otherwise = false },
    { "save_freq", FIELD_CUSTOM, offsetof(struct config, every), .text = "\"epoch\"", .parse = parse_every,
      .write = write_every, .help = "\"epoch\", or every so many steps" },
    { "initial_value_threshold", FIELD_FLOAT, offsetof(struct config, threshold), .nullable = true,
      .null_default = true, .help = "what the first save must beat" },
    { 0 },
};

static bool ends_in(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool check(void *config, enum flavour flavour, strata_error *err)
{
    const struct config *c = config;
    (void)flavour;
    if (c->weights_only && !ends_in(c->path, ".weights.h5"))
        return strata_fail(err, STRATA_EVALUE, "filepath is \"%s\"; with save_weights_only it must end in .weights.h5", c->path);
    if (!c->weights_only && !ends_in(c->path, ".keras") && (!ends_in(c->path, ".h5") || ends_in(c->path, ".weights.h5")))
        return strata_fail(err, STRATA_EVALUE, "filepath is \"%s\"; it must end in .keras or .h5", c->path);
    return true;
}

static bool train_begin(const void *config, void *memory, struct callback_step *step, strata_error *err)
{
    struct state *s = memory;
    (void)step;
    (void)err;
    if (!s->began) s->best = ((const struct config *)config)->threshold;
    s->began = true;
    return true;
}

static bool is_wanted(const struct config *c, struct state *s, struct callback_step *step, bool *wanted, strata_error *err)
{
    double value;
    bool there;
    *wanted = true;
    if (!c->best_only) return true;
    if (!strata_monitor_value(&c->monitor, step, &value, &there, err)) return false;
    if (!there) return true; /* as Keras: what cannot be compared is saved */
    if (!strata_monitor_better(&c->monitor, step, value, s->best, wanted, err)) return false;
    if (*wanted) s->best = value;
    return true;
}

static bool save_now(const struct config *c, struct state *s, struct callback_step *step, strata_error *err)
{
    bool wanted;
    if (!is_wanted(c, s, step, &wanted, err)) return false;
    if (!wanted) return true;
    char *path = strata_callback_path(c->path, step, err);
    const bool ok = path && step->save(step, path, c->weights_only, err);
    free(path);
    return ok;
}

static bool step_end(const void *config, void *memory, struct callback_step *step, strata_error *err)
{
    const struct config *c = config;
    struct state *s = memory;
    const strata_progress *p = step->progress;
    if (c->every == EVERY_EPOCH) return true;
    s->since += p->epoch == s->epoch && p->step >= s->step ? p->step - s->step : p->step;
    s->epoch = p->epoch;
    s->step = p->step;
    if (s->since < (size_t)c->every) return true;
    s->since = 0;
    return save_now(c, s, step, err);
}

static bool epoch_end(const void *config, void *memory, struct callback_step *step, strata_error *err)
{
    const struct config *c = config;
    return c->every == EVERY_EPOCH ? save_now(c, memory, step, err) : step_end(config, memory, step, err);
}

static json_t *save(const void *memory)
{
    const struct state *s = memory;
    return json_pack("{s:o, s:I, s:I, s:I}", "best", strata_exact_number(s->best), "epoch", (json_int_t)s->epoch, "step",
                     (json_int_t)s->step, "since", (json_int_t)s->since);
}

static bool restore(void *memory, const json_t *json, strata_error *err)
{
    struct state *s = memory;
    s->epoch = (size_t)json_integer_value(json_object_get(json, "epoch"));
    s->step = (size_t)json_integer_value(json_object_get(json, "step"));
    s->since = (size_t)json_integer_value(json_object_get(json, "since"));
    s->began = true;
    return strata_exact_value(json_object_get(json, "best"), &s->best)
           || strata_fail(err, STRATA_EFILE, "its state in the checkpoint has no number \"best\"");
}

static bool counts_steps(const void *config)
{
    return ((const struct config *)config)->every != EVERY_EPOCH;
}

const struct callback_class strata_callback_model_checkpoint = {
    .class = { .name = "ModelCheckpoint", .config_size = sizeof(struct config), .fields = fields, .check = check,
               .help = "saves the model every epoch, or the best one" },
    .state_size = sizeof(struct state), .watches_steps = counts_steps, .train_begin = train_begin, .step_end = step_end,
    .epoch_end = epoch_end, .save = save, .restore = restore,
};
