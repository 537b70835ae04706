/* Moving statistics, which each rank moves by its own samples: what the ranks make of them together, and what a checkpoint keeps. */
#include "train/fit.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* ---- averages ------------------------------------------------------------------------------------------------------------ */

static bool is_wanted(const struct param *param, bool synchronized_alone)
{
    return param->statistic && (param->synchronized || !synchronized_alone);
}

static bool has_statistics(const struct params *params, bool synchronized_alone)
{
    for (size_t i = 0; i < params->count; i++)
        if (is_wanted(&params->list[i], synchronized_alone)) return true;
    return false;
}

/* Reads statistics weighted by this rank's samples, or writes them divided by those of all. */
static bool move_statistics(struct fit *f, bool to_host, bool synchronized_alone, double *sums, double samples,
                            strata_error *err)
{
    const struct params *params = f->trainer.params;
    float *host = strata_alloc(params->total, sizeof *host, err);
    bool ok = host != NULL;
    for (size_t i = 0, at = 0; ok && i < params->count; i++) {
        const struct param *param = &params->list[i];
        const size_t offset = param->offset * sizeof(float), bytes = param->count * sizeof(float);
        if (!is_wanted(param, synchronized_alone)) continue;
        for (size_t e = 0; !to_host && e < param->count; e++) host[e] = (float)(sums[at + e] / samples);
        ok = to_host ? strata_buffer_read(f->trainer.device, QUEUE_COMPUTE, params->weights, offset, bytes, host, err)
                     : strata_buffer_write(f->trainer.device, QUEUE_COMPUTE, params->weights, offset, bytes, host, err);
        for (size_t e = 0; to_host && e < param->count; e++) sums[at + e] = samples * (double)host[e];
        at += param->count;
    }
    free(host);
    return ok;
}

static bool average_statistics(struct fit *f, bool synchronized_alone, double samples, strata_error *err)
{
    const struct params *params = f->trainer.params;
    if (f->trainer.ranks == 1 || !has_statistics(params, synchronized_alone)) return true;
    double *sums = strata_alloc(params->total + 1, sizeof *sums, err);
    bool ok = sums && move_statistics(f, true, synchronized_alone, sums, samples, err);
    ok = strata_comm_agree(f->trainer.comm, ok, err);
    if (ok) {
        sums[params->total] = samples;
        ok = strata_comm_sum(f->trainer.comm, sums, params->total + 1, err);
    }
    if (ok && sums[params->total] > 0)
        ok = move_statistics(f, false, synchronized_alone, sums, sums[params->total], err);
    free(sums);
    return strata_comm_agree(f->trainer.comm, ok, err);
}

bool strata_fit_sync(struct fit *f, strata_error *err)
{
    const double samples = f->since_sync;
    f->since_sync = 0;
    return f->exact || average_statistics(f, false, samples, err);
}

/* All ranks know whether there is an idle one. */
bool strata_fit_teach_idle(struct fit *f, const struct batch *batch, strata_error *err)
{
    struct share share = f->trainer.share;
    bool idle = false;
    if (f->trainer.ranks == 1 || !has_statistics(f->trainer.params, true)) return true;
    for (share.rank = 0; share.rank < share.size && !idle; share.rank++) {
        size_t first, count;
        strata_share(&share, batch->global_count, &first, &count);
        idle = count == 0;
    }
    return !idle || average_statistics(f, true, (double)batch->count, err);
}

/* ---- in a checkpoint --------------------------------------------------------------------------------------------------------
 *
 * A checkpoint at a step where a run that goes on takes no averages keeps each rank's own statistics beside the averages, so that what goes
 * on from it takes the averages where that run does, with the same bits. */

/* This rank's own, one after the other, into or from `values`, which are as many as all weights at most. */
static bool copy_own(const struct fit *f, bool to_host, float *values, size_t *count, strata_error *err)
{
    const struct params *params = f->trainer.params;
    bool ok = true;
    *count = 0;
    for (size_t i = 0; ok && i < params->count; i++) {
        const struct param *param = &params->list[i];
        const size_t offset = param->offset * sizeof(float), bytes = param->count * sizeof(float);
        if (!is_wanted(param, false)) continue;
        float *at = values + *count;
        ok = to_host ? strata_buffer_read(f->trainer.device, QUEUE_COMPUTE, params->weights, offset, bytes, at, err)
                     : strata_buffer_write(f->trainer.device, QUEUE_COMPUTE, params->weights, offset, bytes, at, err);
        *count += param->count;
    }
    return ok;
}

static json_t *hexadecimal(const float *values, size_t count)
{
    struct text text = { 0 };
    strata_error ignored = { 0 };
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        strata_text_add(&text, "%08x", bits);
    }
    char *all = strata_text_take(&text, &ignored);
    json_t *json = all ? json_string(all) : NULL;
    free(all);
    return json;
}

/* [[samples, statistics], ...] by rank. */
static json_t *list_of(const float *all, size_t count, const double *samples, int ranks)
{
    json_t *list = json_array();
    for (int i = 0; list && i < ranks; i++)
        if (json_array_append_new(list, json_pack("[o, o]", strata_exact_number(samples[i]),
                                                  hexadecimal(all + (size_t)i * count, count))) != 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

bool strata_fit_keep_statistics(struct fit *f, json_t **list, strata_error *err)
{
    const size_t ranks = (size_t)f->trainer.ranks;
    size_t count = 0;
    *list = NULL;
    if (ranks == 1 || f->exact || !has_statistics(f->trainer.params, false)) return true;
    float *own = strata_alloc(f->trainer.params->total, sizeof *own, err), *all = NULL;
    double *samples = own ? strata_alloc(ranks, sizeof *samples, err) : NULL;
    bool ok = samples && copy_own(f, true, own, &count, err) && (all = strata_alloc(ranks * count, sizeof *all, err));
    ok = strata_comm_agree(f->trainer.comm, ok, err)
         && strata_comm_gather(f->trainer.comm, own, count * sizeof *own, all, err)
         && strata_comm_gather(f->trainer.comm, &f->since_sync, sizeof f->since_sync, samples, err);
    if (ok && f->trainer.rank == 0 && !(*list = list_of(all, count, samples, f->trainer.ranks)))
        ok = strata_fail(err, STRATA_EMEMORY, "out of memory while a checkpoint was written");
    free(own);
    free(all);
    free(samples);
    return strata_comm_agree(f->trainer.comm, ok, err);
}

static bool read_hexadecimal(const char *text, float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char digits[9] = "", *end;
        memcpy(digits, text + 8 * i, 8);
        const uint32_t bits = (uint32_t)strtoul(digits, &end, 16);
        if (end != digits + 8) return false;
        memcpy(&values[i], &bits, sizeof bits);
    }
    return true;
}

/* With another number of ranks the averages, which the weights hold, are all there is to go on with. */
bool strata_fit_restore_statistics(struct fit *f, const json_t *list, strata_error *err)
{
    size_t count = 0;
    if (!json_is_array(list) || json_array_size(list) != (size_t)f->trainer.ranks) return true;
    const json_t *mine = json_array_get(list, (size_t)f->trainer.rank);
    const char *text = json_string_value(json_array_get(mine, 1));
    float *own = strata_alloc(f->trainer.params->total, sizeof *own, err);
    bool ok = own && copy_own(f, true, own, &count, err);
    if (ok && (!text || strlen(text) != 8 * count || !read_hexadecimal(text, own, count)
               || !strata_exact_value(json_array_get(mine, 0), &f->since_sync)))
        ok = strata_fail(err, STRATA_EFILE, "strata.json: statistics[%d] is not that of this model", f->trainer.rank);
    ok = ok && copy_own(f, false, own, &count, err);
    free(own);
    return ok;
}
