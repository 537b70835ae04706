/* What is checked before a run begins. */
#include "train/fit.h"

#include <stdlib.h>
#include <string.h>

#include "model/model.h"

bool strata_fit_check(const strata_fit_config *c, strata_error *err)
{
    if (c->batch_size == 0) return strata_fail(err, STRATA_EVALUE, "fit: batch_size is 0; it must be at least 1");
    if (c->epochs < c->initial_epoch)
        return strata_fail(err, STRATA_EVALUE, "fit: epochs is %zu, initial_epoch %zu; epochs is the number of the last "
                           "epoch, not how many follow", c->epochs, c->initial_epoch);
    if (!(c->validation_split >= 0 && c->validation_split < 1))
        return strata_fail(err, STRATA_EVALUE, "fit: validation_split is %g; it must be from 0 to below 1",
                           c->validation_split);
    if (c->validation_split > 0 && c->validation_data)
        return strata_fail(err, STRATA_EVALUE, "fit: validation_split and validation_data are both given; leave one out");
    if (c->rate_scaling != STRATA_RATE_FIXED && !c->batch_per_rank)
        return strata_fail(err, STRATA_EVALUE, "fit: rate_scaling is for a batch that grows with the ranks; set batch_per_rank too, "
                           "or leave it out");
    if (!(c->warmup_epochs >= 0) || (c->warmup_epochs > 0 && c->rate_scaling == STRATA_RATE_FIXED))
        return strata_fail(err, STRATA_EVALUE, "fit: warmup_epochs is %g; it must be at least 0, and is for rate_scaling: a schedule "
                           "such as CosineDecay has warmup_steps of its own", c->warmup_epochs);
    if (c->exact && c->compression != STRATA_COMPRESSION_NONE)
        return strata_fail(err, STRATA_EVALUE, "fit: exact and compression are both given; leave one out, for a gradient that "
                           "is rounded on its way depends on who sends it");
    if ((c->checkpoint || c->resume) && !c->run_dir)
        return strata_fail(err, STRATA_EVALUE, "fit: checkpoints need a run folder");
    if (!(c->progress_seconds >= 0))
        return strata_fail(err, STRATA_EVALUE, "fit: progress_seconds is %g; it must be at least 0", c->progress_seconds);
    for (size_t i = 0; i < c->class_weights; i++)
        if (!(c->class_weight[i] >= 0))
            return strata_fail(err, STRATA_EVALUE, "fit: the weight of class %zu is %g; it must be at least 0", i,
                               c->class_weight[i]);
    return true;
}

/* ---- the ranks hold the same ------------------------------------------------------------------------------------------ */

static bool same_text(const struct fit *f, const char *what, const char *text, strata_error *err)
{
    return strata_comm_same(f->trainer.comm, what, text ? text : "", text ? strlen(text) : 0, err);
}

/* A JSON value that this function frees; NULL: it could not be made, which is this rank's failure. */
static bool same_json(const struct fit *f, const char *what, json_t *owned, strata_error *err)
{
    char *text = owned ? strata_json_text(owned, false, err) : NULL;
    json_decref(owned);
    const bool ok = strata_comm_agree(f->trainer.comm, text != NULL, err) && same_text(f, what, text, err);
    free(text);
    return ok;
}

static bool same_number(const struct fit *f, const char *what, uint64_t number, strata_error *err)
{
    return strata_comm_same(f->trainer.comm, what, &number, sizeof number, err);
}

/* Which weights train, as a list of 0 and 1: the config of a model may not say. */
static json_t *trainable_flags(const struct fit *f)
{
    json_t *flags = json_array();
    for (size_t i = 0; flags && i < f->trainer.params->count; i++)
        json_array_append_new(flags, json_boolean(f->trainer.params->list[i].trainable));
    return flags;
}

static bool same_weights(const struct fit *f, strata_error *err)
{
    uint64_t fingerprint = 0;
    const bool ok = strata_model_fingerprint(f->trainer.model, &fingerprint, err);
    return strata_comm_agree(f->trainer.comm, ok, err) && same_number(f, "weights", fingerprint, err);
}

bool strata_fit_agree_settings(struct comm *comm, const strata_fit_config *c, strata_error *err)
{
    const struct {
        const char *what;
        uint64_t number;
    } settings[] = {
        { "setting of resume", c->resume },
        { "batch size", c->batch_size },
        { "seed", c->seed },
        { "fit.accumulate", c->accumulate },
        { "setting of batch_per_rank", c->batch_per_rank },
        { "scaling of the rate", c->rate_scaling },
        { "run.exact", c->exact },
        { "run.compression", c->compression },
        { "kind of balance", c->balance },
        { "number of shares", c->share_count },
        { "number of epochs", c->epochs },
        { "initial epoch", c->initial_epoch },
        { "setting of shuffle", c->shuffle },
        { "steps of an epoch", c->steps_per_epoch },
        { "batch size of validation", c->validation_batch_size },
        { "frequency of validation", c->validation_freq },
        { "steps of validation", c->validation_steps },
    };
    uint64_t all = 0;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) all = 1000003 * all + settings[i].number;
    strata_error ignored = { 0 };
    if (strata_comm_size(comm) == 1 || strata_comm_same(comm, "settings of fit", &all, sizeof all, &ignored)) return true;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (!strata_comm_same(comm, settings[i].what, &settings[i].number, sizeof settings[i].number, err)) return false;
    *err = ignored;
    return false;
}

bool strata_fit_agree(const struct fit *f, strata_error *err)
{
    const strata_fit_config *c = f->config;
    if (f->trainer.ranks == 1) return true;
    return same_json(f, "model config", strata_model_write(f->trainer.model, STRATA_KERAS3, err), err)
           && same_json(f, "trainable flags", trainable_flags(f), err)
           && same_json(f, "compile config", strata_training_config(f->training, err), err)
           && strata_comm_same(f->trainer.comm, "warmup_epochs", &c->warmup_epochs, sizeof c->warmup_epochs, err)
           && strata_comm_same(f->trainer.comm, "shares", c->shares, c->share_count * sizeof *c->shares, err)
           && same_text(f, "callbacks", c->callbacks, err)
           && same_number(f, "training data", strata_data_fingerprint(f->data), err)
           && same_number(f, "validation data", f->validation ? strata_data_fingerprint(f->validation) : 0, err)
           && same_weights(f, err) && same_text(f, "job", c->job, err);
}
