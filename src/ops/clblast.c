#include "ops/clblast.h"

#include <clblast_c.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/order.h"
#include "device/choices.h"
#include "device/native.h"
#include "ops/measure_priv.h"

/* ---- sets ---------------------------------------------------------------------------------------------------------------- */

/* The tile of a group (MWG x NWG, KWG deep), its items (MDIMC x NDIMC), vectors (VWM, VWN), and whether A and B go through local
 * memory. The other parameters are as in the first stage of CLBlast's own tuner: KWI 2, MDIMA = MDIMC, NDIMB = NDIMC, no
 * strides, kernel 0. */
struct set {
    size_t mwg, nwg, kwg, mdimc, ndimc, vwm, vwn, sa, sb;
};

/* From small to large groups and tiles, square and long, with local memory and without: what CLBlast's database
 * (src/database/kernels/xgemm) found for one device or another lies among or near them. */
static const struct set sets[] = {
    { 64, 64, 32, 8, 8, 4, 4, 1, 1 },      { 64, 64, 32, 16, 16, 2, 2, 1, 1 },   { 128, 128, 16, 16, 16, 4, 4, 1, 1 },
    { 128, 64, 16, 16, 8, 4, 4, 1, 1 },    { 64, 128, 16, 8, 16, 4, 4, 1, 1 },   { 128, 128, 32, 16, 16, 2, 2, 1, 1 },
    { 32, 32, 32, 8, 8, 2, 2, 1, 1 },      { 64, 32, 32, 16, 8, 2, 2, 1, 1 },    { 32, 64, 32, 8, 16, 2, 2, 1, 1 },
    { 64, 64, 16, 8, 8, 4, 4, 0, 0 },      { 128, 128, 16, 16, 16, 4, 4, 0, 0 }, { 128, 64, 32, 16, 8, 4, 4, 0, 0 },
    { 64, 128, 32, 8, 16, 4, 4, 0, 0 },    { 32, 32, 16, 8, 8, 4, 4, 0, 0 },     { 16, 16, 32, 8, 8, 1, 1, 0, 0 },
    { 32, 128, 16, 8, 16, 2, 4, 1, 1 },
};
const size_t strata_clblast_sets = sizeof sets / sizeof *sets;

/* A product of m n k below the cube of this is done without copies, by another kernel. The first goes with every set; the others are tried
 * with the best one. */
static const size_t smallest_sizes[] = { 256, 1, 64, 1024, 65536 };
enum { SMALLEST_SIZES = sizeof smallest_sizes / sizeof *smallest_sizes };

static bool divides(size_t part, size_t whole)
{
    return whole % part == 0;
}

/* The constraints of CLBlast's tuner (src/tuning/kernels/xgemm.hpp), and the limits of the device. */
bool strata_clblast_legal(const struct device *device, size_t index)
{
    cl_ulong local = 0;
    size_t most = 0;
    if (index >= strata_clblast_sets) return false;
    const struct set *s = &sets[index];
    clGetDeviceInfo(strata_device_id(device), CL_DEVICE_LOCAL_MEM_SIZE, sizeof local, &local, NULL);
    clGetDeviceInfo(strata_device_id(device), CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof most, &most, NULL);
    return divides(s->mdimc * s->vwm, s->mwg) && divides(s->ndimc * s->vwn, s->nwg) && divides(s->ndimc, s->kwg)
           && divides(s->mdimc, s->kwg) && s->mdimc * s->ndimc <= most
           && sizeof(float) * s->kwg * (s->sa * s->mwg + s->sb * s->nwg) <= local;
}

static json_t *json_of(const struct set *s, size_t smallest)
{
    const struct {
        const char *name;
        size_t value;
    } numbers[] = {
        { "GEMMK", 0 },          { "KREG", 1 },           { "KWG", s->kwg },       { "KWI", 2 },
        { "MDIMA", s->mdimc },   { "MDIMC", s->mdimc },   { "MWG", s->mwg },       { "NDIMB", s->ndimc },
        { "NDIMC", s->ndimc },   { "NWG", s->nwg },       { "SA", s->sa },         { "SB", s->sb },
        { "STRM", 0 },           { "STRN", 0 },           { "VWM", s->vwm },       { "VWN", s->vwn },
    };
    json_t *json = json_pack("{s:{}, s:{s:I}}", "Xgemm", "GemmRoutine", "XGEMM_MIN_INDIRECT_SIZE", (json_int_t)smallest);
    for (size_t i = 0; json && i < sizeof numbers / sizeof *numbers; i++)
        json_object_set_new(json_object_get(json, "Xgemm"), numbers[i].name, json_integer((json_int_t)numbers[i].value));
    return json;
}

const char *strata_clblast_text(const json_t *set, char text[STRATA_CLBLAST_TEXT])
{
    static const char *const names[] = { "MWG", "NWG", "KWG", "MDIMC", "NDIMC", "VWM", "VWN", "SA", "SB" };
    const json_t *numbers = json_object_get(set, "Xgemm");
    const json_t *smallest = json_object_get(json_object_get(set, "GemmRoutine"), "XGEMM_MIN_INDIRECT_SIZE");
    int at = snprintf(text, STRATA_CLBLAST_TEXT, "%s", set ? "Xgemm" : "its own parameters");
    for (size_t i = 0; set && i < sizeof names / sizeof *names; i++)
        at += snprintf(text + at, STRATA_CLBLAST_TEXT - (size_t)at, " %s=%d", names[i],
                       (int)json_integer_value(json_object_get(numbers, names[i])));
    if (set) snprintf(text + at, STRATA_CLBLAST_TEXT - (size_t)at, " from size %d", (int)json_integer_value(smallest));
    return text;
}

/* ---- telling CLBlast ------------------------------------------------------------------------------------------------------- */

enum { MOST_PARAMETERS = 32 };

static bool override(const struct device *device, const char *kernel, const json_t *numbers, strata_error *err)
{
    const char *names[MOST_PARAMETERS], *name;
    size_t values[MOST_PARAMETERS], count = 0;
    json_t *value;
    json_object_foreach((json_t *)numbers, name, value)
    {
        if (count == MOST_PARAMETERS) break;
        names[count] = name;
        values[count++] = (size_t)json_integer_value(value);
    }
    const CLBlastStatusCode status =
        CLBlastOverrideParameters(strata_device_id(device), kernel, CLBlastPrecisionSingle, count, names, values);
    return status == CLBlastSuccess
           || strata_fail_native(err, STRATA_EDEVICE, status,
                                 "CLBlast does not take the parameters of %s that were tuned (status %d), as another version of it may; "
                                 "tune again, or delete tuning.json in the cache folder", kernel, status);
}

static bool override_all(const struct device *device, const json_t *set, strata_error *err)
{
    const char *kernel;
    json_t *numbers;
    json_object_foreach((json_t *)set, kernel, numbers)
    {
        if (!override(device, kernel, numbers, err)) return false;
    }
    return true;
}

/* CLBlast keeps programs until the process ends, and they keep their contexts, which some drivers cannot release by then. */
static void drop_programs(void)
{
    CLBlastClearCache();
}

bool strata_clblast_prepare(struct device *device, strata_error *err)
{
    strata_device_drop_with(device, drop_programs);
    const json_t *set = strata_device_parameters_due(device);
    return !set || override_all(device, set, err);
}

/* ---- measuring ---------------------------------------------------------------------------------------------------------------- */

enum { PIECES = 16, PIECE = 4096, TIMES = 3 };

/* Of each result, what lies in some pieces from its beginning to its end. */
static bool read_pieces(struct meter *m, size_t size, float *values, size_t *count, strata_error *err)
{
    bool ok = true;
    *count = 0;
    if (size <= PIECES * PIECE) {
        *count = size;
        return strata_buffer_read(m->device, QUEUE_COMPUTE, m->out, 0, size * sizeof(float), values, err);
    }
    for (size_t i = 0; ok && i < PIECES; i++) {
        const size_t at = (size - PIECE) / (PIECES - 1) * i + (i == PIECES - 1 ? (size - PIECE) % (PIECES - 1) : 0);
        ok = strata_buffer_read(m->device, QUEUE_COMPUTE, m->out, at * sizeof(float), PIECE * sizeof(float), values + *count, err);
        *count += PIECE;
    }
    return ok;
}

/* A result under a set, in pieces. */
static bool result_of(struct meter *m, const struct clblast_use *use, float *values, size_t *count, strata_error *err)
{
    const size_t size = strata_meter_result_size(use->request);
    return strata_buffer_zero(m->device, QUEUE_COMPUTE, m->out, 0, size * sizeof(float), err)
           && strata_meter_run(m, use->request, use->implementation, err) && read_pieces(m, size, values, count, err);
}

static bool time_use(struct meter *m, const struct clblast_use *use, double *seconds, strata_error *err)
{
    double times[TIMES];
    bool ok = true;
    for (size_t i = 0; ok && i < TIMES; i++) ok = strata_meter_time(m, use->request, use->implementation, 1, &times[i], err);
    if (ok) *seconds = strata_median(times, TIMES);
    return ok;
}

/* What a search has at hand. */
struct search {
    struct meter *meter;
    const struct clblast_use *uses;
    size_t count;
    float **expected; /* owned: by use */
    float *got;       /* owned */
    double until;
    struct clblast_measurement *list;
    size_t list_count;
};

static bool expect_all(struct search *s, strata_error *err)
{
    struct clblast_measurement *own = &s->list[s->list_count++];
    size_t count;
    own->as = MEASURED;
    for (size_t i = 0; i < s->count; i++) {
        double seconds = 0;
        if (!(s->expected[i] = strata_alloc(PIECES * PIECE, sizeof(float), err))
            || !result_of(s->meter, &s->uses[i], s->expected[i], &count, err) || !time_use(s->meter, &s->uses[i], &seconds, err))
            return false;
        own->seconds += (double)s->uses[i].times * seconds;
    }
    return true;
}

/* Under what CLBlast was told last. */
static enum measured_as try_uses(struct search *s, double *sum, strata_error *err)
{
    size_t count;
    for (size_t i = 0; i < s->count; i++) {
        double seconds = 0;
        if (strata_clock() >= s->until) return MEASURED_NOT;
        if (!result_of(s->meter, &s->uses[i], s->got, &count, err)) return MEASURED_FAILED;
        if (!strata_meter_agree(s->uses[i].request, s->expected[i], s->got, count)) return MEASURED_WRONG;
        if (!time_use(s->meter, &s->uses[i], &seconds, err)) return MEASURED_FAILED;
        *sum += (double)s->uses[i].times * seconds;
    }
    return MEASURED;
}

/* A set that fails is left out, whatever it failed of. */
static bool try_set(struct search *s, const struct set *set, size_t smallest, strata_error *err)
{
    struct clblast_measurement *one = &s->list[s->list_count];
    strata_error failure = { 0 };
    if (!(one->set = json_of(set, smallest))) return strata_fail(err, STRATA_EMEMORY, "out of memory");
    s->list_count++;
    one->as = override_all(s->meter->device, one->set, &failure) ? try_uses(s, &one->seconds, &failure) : MEASURED_FAILED;
    return true;
}

static size_t best_of(const struct search *s, size_t first)
{
    size_t best = 0;
    double least = INFINITY;
    for (size_t i = first; i < s->list_count; i++)
        if (s->list[i].as == MEASURED && s->list[i].seconds < least) least = s->list[best = i].seconds;
    return best;
}

static bool search(struct search *s, size_t *best, strata_error *err)
{
    const struct set *of[sizeof sets / sizeof *sets + 1] = { NULL };
    if (!expect_all(s, err)) return false;
    for (size_t i = 0; i < strata_clblast_sets && strata_clock() < s->until; i++) {
        if (!strata_clblast_legal(s->meter->device, i)) continue;
        of[s->list_count] = &sets[i];
        if (!try_set(s, &sets[i], smallest_sizes[0], err)) return false;
    }
    const size_t tiles = best_of(s, 1);
    for (size_t i = 1; tiles && i < SMALLEST_SIZES && strata_clock() < s->until; i++)
        if (!try_set(s, of[tiles], smallest_sizes[i], err)) return false;
    *best = best_of(s, 1);
    if (*best && s->list[*best].seconds >= (1 - strata_least_gain) * s->list[0].seconds) *best = 0;
    return true;
}

bool strata_clblast_compare(struct meter *meter, const struct clblast_use *uses, size_t count, double until,
                            struct clblast_measurement **list, size_t *list_count, size_t *best, strata_error *err)
{
    struct search s = { .meter = meter, .uses = uses, .count = count, .until = until };
    *best = 0;
    bool ok = (s.list = strata_alloc(1 + strata_clblast_sets + SMALLEST_SIZES, sizeof *s.list, err))
              && (s.expected = strata_alloc(count, sizeof *s.expected, err))
              && (s.got = strata_alloc(PIECES * PIECE, sizeof *s.got, err)) && search(&s, best, err);
    for (size_t i = 0; s.expected && i < count; i++) free(s.expected[i]);
    free(s.expected);
    free(s.got);
    *list = s.list;
    *list_count = s.list_count;
    return ok;
}

void strata_clblast_list_free(struct clblast_measurement *list, size_t count)
{
    for (size_t i = 0; i < count; i++) json_decref(list[i].set);
    free(list);
}
