/* The sections of a job whose values are the job's own: fit and run. */
#include "train/job_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "train/fit.h"

/* ---- class_weight ---------------------------------------------------------------------------------------------- */

enum { MAX_CLASSES = 1 << 20 };

static bool not_weights(const char *what, strata_error *err)
{
    return strata_fail(err, STRATA_EVALUE,
                       "class_weight %s; {\"0\": weight, \"1\": weight, ...} or a list of weights "
                       "by class index is expected",
                       what);
}

static bool set_weight(struct class_weights *weights, size_t *room, size_t class, const json_t *weight,
                       strata_error *err)
{
    void *values = weights->values;
    if (!json_is_number(weight) || json_number_value(weight) < 0)
        return not_weights("has a weight that is no number of at least 0", err);
    if (!strata_reserve(&values, room, class + 1, sizeof *weights->values, err)) return false;
    weights->values = values;
    while (weights->count <= class)
        weights->values[weights->count++] = 1; /* a class that is not named weighs 1, as in Keras */
    weights->values[class] = json_number_value(weight);
    return true;
}

static bool parse_class_weight(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                               strata_error *err)
{
    struct class_weights *weights = at;
    size_t room = 0, index;
    const char *key;
    json_t *value;
    (void)field;
    (void)flavour;
    if (json_is_null(json)) return true;
    if (!json_is_object(json) && !json_is_array(json)) return not_weights("is no object", err);
    json_array_foreach(json, index, value)
    {
        if (!set_weight(weights, &room, index, value, err)) return false;
    }
    json_object_foreach((json_t *)json, key, value)
    {
        char *end = NULL;
        const unsigned long class = strtoul(key, &end, 10);
        if (end == key || *end != '\0' || class >= MAX_CLASSES)
            return not_weights("has a key that is no class index", err);
        if (!set_weight(weights, &room, class, value, err)) return false;
    }
    return true;
}

static void release_class_weight(void *at)
{
    struct class_weights *weights = at;
    free(weights->values);
    *weights = (struct class_weights){ 0 };
}

/* A word for each value of an enum, from its second on; null for the first. */
static bool parse_choice(const struct field *field, const json_t *json, const char *const words[2], long *choice,
                         strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    const char *text = json_is_string(json) ? json_string_value(json) : "";
    for (*choice = 2; *choice > 0 && strcmp(text, words[*choice - 1]) != 0;) --*choice;
    return *choice > 0 || json_is_null(json)
           || strata_fail(err, STRATA_EVALUE, "%s is %s; null, \"%s\" or \"%s\" is expected", field->name,
                          strata_json_brief(json, brief), words[0], words[1]);
}

static bool parse_scaling(const struct field *field, const json_t *json, enum flavour flavour, void *at, strata_error *err)
{
    static const char *const words[] = { [STRATA_RATE_LINEAR - 1] = "linear", [STRATA_RATE_SQRT - 1] = "sqrt" };
    (void)flavour;
    return parse_choice(field, json, words, at, err);
}

#define MEMBER(member) offsetof(struct job_fit, member)
const struct field strata_job_fit_fields[] = {
    { "batch_size", FIELD_INT, MEMBER(batch_size), .otherwise = 32, .min = 1, .max = INFINITY,
      .help = "the global batch, which the ranks share" },
    { "accumulate", FIELD_INT, MEMBER(accumulate), .otherwise = 1, .min = 1, .max = INFINITY,
      .help = "a batch runs in so many parts whose gradients are added, to need less memory" },
    { "batch_per_rank", FIELD_BOOL, MEMBER(batch_per_rank), .help = "batch_size is that of each rank" },
    { "rate_scaling", FIELD_CUSTOM, MEMBER(rate_scaling), .parse = parse_scaling, .text = "null",
      .help = "linear, sqrt: with batch_per_rank the learning rate is multiplied by the ranks, or their square root" },
    { "warmup_epochs", FIELD_FLOAT, MEMBER(warmup_epochs), .min = 0, .max = INFINITY,
      .help = "over which rate_scaling comes into force" },
    { "epochs", FIELD_INT, MEMBER(epochs), .otherwise = 1, .min = 0, .max = INFINITY },
    { "initial_epoch", FIELD_INT, MEMBER(initial_epoch), .min = 0, .max = INFINITY },
    { "shuffle", FIELD_BOOL, MEMBER(shuffle), .otherwise = 1 },
    { "seed", FIELD_INT, MEMBER(seed), .min = 0, .max = INFINITY, .help = "of everything random" },
    { "validation_split", FIELD_FLOAT, MEMBER(validation_split), .min = 0, .max = 1,
      .help = "this part of the training data, its end, is held back" },
    { "validation_batch_size", FIELD_INT, MEMBER(validation_batch_size), .nullable = true,
      .null_default = true, .min = 1, .max = INFINITY },
    { "validation_freq", FIELD_INT, MEMBER(validation_freq), .otherwise = 1, .min = 1, .max = INFINITY },
    { "validation_steps", FIELD_INT, MEMBER(validation_steps), .nullable = true, .null_default = true, .min = 1,
      .max = INFINITY, .help = "batches that validation looks at; null: all" },
    { "steps_per_epoch", FIELD_INT, MEMBER(steps_per_epoch), .nullable = true, .null_default = true, .min = 1,
      .max = INFINITY },
    { "class_weight", FIELD_CUSTOM, MEMBER(class_weight), .nullable = true, .parse = parse_class_weight,
      .release = release_class_weight, .help = "weights by class index" },
    { 0 },
};
#undef MEMBER

/* ---- run ------------------------------------------------------------------------------------------------------- */

static bool parse_checkpoint(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                             strata_error *err)
{
    struct checkpointing checkpoint;
    if (json_is_null(json)) return true;
    if (!strata_config_parse(strata_checkpointing_fields, json, flavour, NULL, &checkpoint, err))
        return strata_fail_in(err, "%s", field->name);
    *(json_t **)at = json_deep_copy(json);
    return *(json_t **)at || strata_fail(err, STRATA_EMEMORY, "out of memory");
}

static void release_checkpoint(void *at)
{
    json_decref(*(json_t **)at);
    *(json_t **)at = NULL;
}

static const struct field watchdog_fields[] = {
    { "report", FIELD_FLOAT, offsetof(struct job_watchdog, report), .otherwise = STRATA_WATCH_REPORT, .min = 2, .max = INFINITY },
    { "stop", FIELD_FLOAT, offsetof(struct job_watchdog, stop), .otherwise = STRATA_WATCH_STOP, .min = 2, .max = INFINITY },
    { 0 },
};

static bool parse_watchdog(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                           strata_error *err)
{
    struct job_watchdog *watchdog = at;
    *watchdog = (struct job_watchdog){ INFINITY, INFINITY };
    if (json_is_null(json)) return true;
    if (!strata_config_parse(watchdog_fields, json, flavour, NULL, watchdog, err))
        return strata_fail_in(err, "%s", field->name);
    return watchdog->stop >= watchdog->report
           || strata_fail(err, STRATA_EVALUE, "%s.stop is %g; it must be at least report, which is %g", field->name,
                          watchdog->stop, watchdog->report);
}

static bool parse_shares(const json_t *json, struct job_balance *balance, strata_error *err)
{
    size_t index;
    json_t *value;
    balance->kind = STRATA_BALANCE_SHARES;
    balance->count = json_array_size(json);
    balance->shares = strata_alloc(balance->count, sizeof *balance->shares, err);
    if (!balance->shares) return false;
    json_array_foreach(json, index, value)
    {
        balance->shares[index] = json_number_value(value);
        if (!json_is_number(value) || !(balance->shares[index] > 0))
            return strata_fail(err, STRATA_EVALUE, "balance[%zu] is no positive number; a share for each rank is expected",
                               index);
    }
    return balance->count > 0
           || strata_fail(err, STRATA_EVALUE, "balance is an empty list; a share for each rank is expected");
}

static bool parse_balance(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                          strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    struct job_balance *balance = at;
    (void)field;
    (void)flavour;
    balance->kind = STRATA_BALANCE_UNLIKE;
    if (json_is_null(json)) return true;
    if (json_is_array(json)) return parse_shares(json, balance, err);
    const char *text = json_is_string(json) ? json_string_value(json) : "";
    balance->kind = strcmp(text, "equal") == 0 ? STRATA_BALANCE_EQUAL : STRATA_BALANCE_AUTO;
    if (balance->kind == STRATA_BALANCE_EQUAL || strcmp(text, "auto") == 0) return true;
    return strata_fail(err, STRATA_EVALUE, "balance is %s; \"auto\", \"equal\" or a list of shares, one for each rank, "
                       "is expected", strata_json_brief(json, brief));
}

static void release_balance(void *at)
{
    struct job_balance *balance = at;
    free(balance->shares);
    *balance = (struct job_balance){ 0 };
}

static bool parse_compression(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                              strata_error *err)
{
    static const char *const words[] = { [STRATA_COMPRESSION_BF16 - 1] = "bf16", [STRATA_COMPRESSION_FP16 - 1] = "fp16" };
    (void)flavour;
    return parse_choice(field, json, words, at, err);
}

static bool parse_memory(const struct field *field, const json_t *json, enum flavour flavour, void *at, strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    size_t *bytes = at;
    (void)flavour;
    *bytes = 0;
    if (json_is_null(json)) return true;
    if (json_is_integer(json) && json_integer_value(json) > 0) *bytes = (size_t)json_integer_value(json);
    return *bytes > 0 || (json_is_string(json) && strata_parse_bytes(json_string_value(json), bytes))
           || strata_fail(err, STRATA_EVALUE, "%s is %s; a size such as \"2GiB\" or \"512MiB\" is expected", field->name,
                          strata_json_brief(json, brief));
}

const struct field strata_job_run_fields[] = {
    { "dir", FIELD_STRING, offsetof(struct job_run, dir), .nullable = true, .text = "",
      .help = "the run folder; runs/NAME of NAME.json; null: no files" },
    { "devices", FIELD_STRING, offsetof(struct job_run, devices), .text = "auto",
      .help = "an entry a local rank: see strata devices" },
    { "balance", FIELD_CUSTOM, offsetof(struct job_run, balance), .parse = parse_balance, .release = release_balance,
      .text = "null",
      .help = "auto: shares of the batch follow measured speed; equal; a share for each rank; null: auto where devices differ, else equal" },
    { "compression", FIELD_CUSTOM, offsetof(struct job_run, compression), .parse = parse_compression, .text = "null",
      .help = "bf16, fp16: gradients travel so between hosts; null: as floats" },
    { "watchdog", FIELD_CUSTOM, offsetof(struct job_run, watchdog), .text = "{}",
      .parse = parse_watchdog,
      .help = "report (10) and stop (60): seconds after which a rank that stands still is named, and the job ended; null: never" },
    { "exact", FIELD_BOOL, offsetof(struct job_run, exact),
      .help = "the same bits for any number of ranks of one device type" },
    { "cache_frozen", FIELD_BOOL, offsetof(struct job_run, cache_frozen), .otherwise = 1,
      .help = "what lies before the first trainable layer is computed once, where nothing random is in it" },
    { "cache_budget", FIELD_INT, offsetof(struct job_run, cache_budget), .otherwise = 1024, .min = 0, .max = 1 << 30,
      .help = "MiB of memory for that on each rank, which keeps it all; what needs more lies in a file in the run folder" },
    { "max_memory", FIELD_CUSTOM, offsetof(struct job_run, max_memory), .text = "null", .parse = parse_memory,
      .help = "of each rank's device, such as 2GiB: a rank's samples of a batch that need more run in parts, as with fit.accumulate" },
    { "checkpoint", FIELD_CUSTOM, offsetof(struct job_run, checkpoint), .nullable = true,
      .text = "{\"every_epochs\": 1, \"keep\": 3}", .parse = parse_checkpoint, .release = release_checkpoint,
      .help = "every_steps, every_epochs, keep; on_failure: \"stop\", or \"continue\" without one that cannot be written" },
    { 0 },
};
