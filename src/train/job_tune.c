/* Tuning a job: its ops in all phases, measured by one rank of each type of device, which keeps what it found. */
#include <stdlib.h>
#include <string.h>
#include <strata/tune.h>

#include "base/memory.h"
#include "dist/context.h"
#include "dist/tuning.h"
#include "files/tuning.h"
#include "train/job_priv.h"
#include "train/tune.h"

/* ---- results --------------------------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *line, const char *key)
{
    const char *text = json_string_value(json_object_get(line, key));
    return text ? text : "";
}

static double number_of(const json_t *line, const char *key)
{
    return json_number_value(json_object_get(line, key));
}

/* {"lines": [..], "ops": N, "unmeasured": N, "path": ".."} of one rank to the end of the lines. */
static bool add_results(strata_tuning *tuning, const json_t *results, strata_error *err)
{
    const json_t *lines = json_object_get(results, "lines");
    void *grown = tuning->lines;
    size_t room = tuning->count, index;
    json_t *line;
    if (!strata_reserve(&grown, &room, tuning->count + json_array_size(lines) + 1, sizeof *tuning->lines, err)) return false;
    tuning->lines = grown;
    json_array_foreach(lines, index, line)
    {
        tuning->lines[tuning->count++] = (strata_tune_line){
            .device = text_of(line, "device"), .step = text_of(line, "step"), .operation = text_of(line, "operation"),
            .shape = text_of(line, "shape"), .implementation = text_of(line, "implementation"),
            .outcome = (strata_tune_outcome)json_integer_value(json_object_get(line, "outcome")),
            .seconds = number_of(line, "seconds"), .of_limit = number_of(line, "of_limit"),
            .by_default = json_is_true(json_object_get(line, "by_default")),
            .chosen = json_is_true(json_object_get(line, "chosen")), .gain = number_of(line, "gain"),
        };
    }
    tuning->ops += (size_t)number_of(results, "ops");
    tuning->unmeasured += (size_t)number_of(results, "unmeasured");
    if (!tuning->path) tuning->path = text_of(results, "path");
    return true;
}

void strata_tuning_release(strata_tuning *tuning)
{
    json_decref(tuning->texts);
    free(tuning->lines);
    *tuning = (strata_tuning){ 0 };
}

/* What each leader found, on every rank. */
static bool share_results(struct comm *comm, const struct types *types, const json_t *own, strata_tuning *tuning, strata_error *err)
{
    bool ok = (tuning->texts = json_array()) || strata_fail(err, STRATA_EMEMORY, "out of memory");
    ok = strata_comm_agree(comm, ok, err);
    for (int r = 0; ok && r < types->ranks; r++) {
        json_t *copy = NULL;
        if (types->leader[r] != r) continue;
        ok = strata_comm_broadcast_json(comm, own, r, &copy, err);
        ok = strata_comm_agree(comm, ok && json_array_append(tuning->texts, copy) == 0 && add_results(tuning, copy, err), err);
        json_decref(copy);
    }
    return ok;
}

/* ---- measuring ---------------------------------------------------------------------------------------------------------------- */

/* One after the other, for ranks of a node may share the file. */
static bool keep(struct comm *comm, const struct types *types, struct device *device, const struct tuned *tuned, char **path,
                 strata_error *err)
{
    const int rank = strata_comm_rank(comm);
    bool ok = true;
    for (int r = 0; ok && r < types->ranks; r++)
        if (types->leader[r] == r)
            ok = strata_comm_agree(comm, r != rank || strata_tuning_write(device, tuned->choices, path, err), err);
    return ok;
}

static bool measure(struct comm *comm, struct device *device, struct ops *ops, double seconds, strata_tuning *tuning,
                    strata_error *err)
{
    struct types types;
    struct tuned tuned = { 0 };
    char *path = NULL;
    if (!strata_types_find(comm, device, &types, err)) return false;
    strata_comm_phase(comm, "tuning", 0);
    const bool leads = types.leader[strata_comm_rank(comm)] == strata_comm_rank(comm);
    const bool ok = strata_comm_agree(comm, !leads || strata_ops_tune(ops, device, seconds, &tuned, err), err)
                    && keep(comm, &types, device, &tuned, &path, err);
    json_t *own = ok && leads ? json_pack("{s:O, s:I, s:I, s:s}", "lines", tuned.lines, "ops", (json_int_t)ops->count,
                                          "unmeasured", (json_int_t)tuned.unmeasured, "path", path)
                              : NULL;
    const bool shared = ok && share_results(comm, &types, own, tuning, err);
    json_decref(own);
    json_decref(tuned.lines);
    json_decref(tuned.choices);
    free(path);
    strata_types_free(&types);
    return shared;
}

bool strata_job_tune(const strata_job *job, strata_model *model, strata_context *context, const strata_data *data,
                     const strata_data *validation, double seconds, strata_tuning *tuning, strata_error *err)
{
    strata_fit_config config = strata_job_fit_config(job);
    struct ops ops = { 0 };
    bool ok = true;
    *tuning = (strata_tuning){ 0 };
    if (config.exact)
        return strata_fail(err, STRATA_EVALUE, "%s: run.exact is true: an exact run leaves out what was tuned, for its bits must not "
                           "depend on a rank's share", strata_job_path(job));
    for (size_t i = 0; ok && i < (job->phase_count ? job->phase_count : 1); i++) {
        if (job->phase_count) strata_job_apply_fit(&job->phases[i], &config);
        ok = (!job->phase_count || strata_job_enter_phase(job, i, model, err))
             && strata_ops_collect(&ops, model, context, data, validation, &config, err);
    }
    ok = ok && measure(strata_context_comm(context), strata_context_device_of(context), &ops, seconds, tuning, err);
    strata_ops_free(&ops);
    if (!ok) strata_tuning_release(tuning);
    return ok;
}
