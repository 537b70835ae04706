/* Moving statistics, which each rank moves by its own samples: what the ranks make of them together, and what a checkpoint keeps. */
#include "train/fit.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* ---- this rank's own ---------------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct param *param, bool synchronized_alone)
{
    return param->statistic && (param->synchronized || !synchronized_alone);
}

size_t strata_fit_count_statistics(const struct fit *f, bool synchronized_alone)
{
    const struct params *params = f->trainer.params;
    size_t count = 0;
    for (size_t i = 0; i < params->count; i++)
        if (is_wanted(&params->list[i], synchronized_alone)) count += params->list[i].count;
    return count;
}

bool strata_fit_copy_statistics(const struct fit *f, bool to_host, bool synchronized_alone, float *values, strata_error *err)
{
    const struct params *params = f->trainer.params;
    bool ok = true;
    for (size_t i = 0; ok && i < params->count; i++) {
        const struct param *param = &params->list[i];
        const size_t offset = param->offset * sizeof(float), bytes = param->count * sizeof(float);
        if (!is_wanted(param, synchronized_alone)) continue;
        ok = to_host ? strata_buffer_read(f->trainer.device, QUEUE_COMPUTE, params->weights, offset, bytes, values, err)
                     : strata_buffer_write(f->trainer.device, QUEUE_COMPUTE, params->weights, offset, bytes, values, err);
        values += param->count;
    }
    return ok;
}

bool strata_fit_refuse_synchronized(const struct fit *f, const char *why, strata_error *err)
{
    const struct params *params = f->trainer.params;
    for (size_t i = 0; i < params->count; i++)
        if (params->list[i].synchronized)
            return strata_fail(err, STRATA_EVALUE, "fit: %s, so that %s cannot be synchronized; set its synchronized to false", why,
                               strata_layer_name(params->list[i].layer));
    return true;
}

/* ---- averages ------------------------------------------------------------------------------------------------------------ */

/* Each rank's weighted by its samples. */
static bool average_statistics(struct fit *f, bool synchronized_alone, double samples, strata_error *err)
{
    const size_t count = strata_fit_count_statistics(f, synchronized_alone);
    if (f->trainer.ranks == 1 || count == 0) return true;
    float *host = strata_alloc(count, sizeof *host, err);
    double *sums = host ? strata_alloc(count + 1, sizeof *sums, err) : NULL;
    bool ok = sums && strata_fit_copy_statistics(f, true, synchronized_alone, host, err);
    ok = strata_comm_agree(f->trainer.comm, ok, err);
    if (ok) {
        for (size_t e = 0; e < count; e++) sums[e] = samples * (double)host[e];
        sums[count] = samples;
        ok = strata_comm_sum(f->trainer.comm, sums, count + 1, err);
    }
    if (ok && sums[count] > 0) {
        for (size_t e = 0; e < count; e++) host[e] = (float)(sums[e] / sums[count]);
        ok = strata_fit_copy_statistics(f, false, synchronized_alone, host, err);
    }
    free(host);
    free(sums);
    return strata_comm_agree(f->trainer.comm, ok, err);
}

bool strata_fit_sync(struct fit *f, strata_error *err)
{
    const double samples = f->since_sync;
    f->since_sync = 0;
    if (!strata_fit_settle(f, err)) return false;
    return f->exact || average_statistics(f, false, samples, err);
}

/* All ranks know whether there is an idle one. */
bool strata_fit_teach_idle(struct fit *f, const struct batch *batch, strata_error *err)
{
    struct share share = f->trainer.share;
    bool idle = false;
    if (f->trainer.ranks == 1 || strata_fit_count_statistics(f, true) == 0) return true;
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
    const size_t count = strata_fit_count_statistics(f, false);
    *list = NULL;
    if (ranks == 1 || f->exact || count == 0) return true;
    float *own = strata_alloc(count, sizeof *own, err), *all = own ? strata_alloc(ranks * count, sizeof *all, err) : NULL;
    double *samples = all ? strata_alloc(ranks, sizeof *samples, err) : NULL;
    bool ok = samples && strata_fit_copy_statistics(f, true, false, own, err);
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
    const size_t count = strata_fit_count_statistics(f, false);
    if (!json_is_array(list) || json_array_size(list) != (size_t)f->trainer.ranks) return true;
    const json_t *mine = json_array_get(list, (size_t)f->trainer.rank);
    const char *text = json_string_value(json_array_get(mine, 1));
    float *own = strata_alloc(count, sizeof *own, err);
    bool ok = own != NULL;
    if (ok && (!text || strlen(text) != 8 * count || !read_hexadecimal(text, own, count)
               || !strata_exact_value(json_array_get(mine, 0), &f->since_sync)))
        ok = strata_fail(err, STRATA_EFILE, "strata.json: statistics[%d] is not that of this model", f->trainer.rank);
    ok = ok && strata_fit_copy_statistics(f, false, false, own, err);
    free(own);
    return ok;
}
