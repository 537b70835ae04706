/* Measuring ops, then the parameters of CLBlast, where that serves by default. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "device/choices.h"
#include "device/peak.h"
#include "ops/clblast.h"
#include "ops/measure.h"
#include "train/tune.h"

/* What measuring has at hand. */
struct session {
    struct ops *ops;
    struct device *device;
    struct meter *meter;
    strata_peak peak;
    const char **chosen; /* owned; by op; NULL: it was not measured */
    struct tuned *tuned;
};

static int costly_first(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    if (x->whole != y->whole) return x->whole ? -1 : 1;
    const double f = strata_request_work(&x->request, "", false).flops, g = strata_request_work(&y->request, "", false).flops;
    return f < g ? 1 : f > g ? -1 : strcmp(x->step, y->step);
}

/* The seconds that the device's peak would take. */
static double least_seconds(const struct session *s, const struct request *request)
{
    const struct work work = strata_request_work(request, "", false);
    return fmax(work.flops / s->peak.flops, work.bytes / s->peak.bytes);
}

static bool out_of_memory(strata_error *err)
{
    return strata_fail(err, STRATA_EMEMORY, "out of memory");
}

static bool add_line(struct session *s, json_t *owned, strata_error *err)
{
    return (owned && json_array_append_new(s->tuned->lines, owned) == 0) || out_of_memory(err);
}

/* ---- implementations --------------------------------------------------------------------------------------------------- */

static json_t *line_of(const struct session *s, const struct seen *seen, const struct measurement *list, size_t i, bool chosen)
{
    char shape[STRATA_REQUEST_TEXT];
    const struct measurement *m = &list[i];
    const bool timed = m->as == MEASURED;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:f, s:f, s:b, s:b, s:f}", "device", strata_device_text(s->device), "step",
                     seen->step, "operation", strata_request_operation(&seen->request), "shape",
                     strata_request_shape(&seen->request, shape), "implementation", m->implementation, "outcome", (int)m->as,
                     "seconds", timed ? m->seconds : 0.0, "of_limit", timed ? least_seconds(s, &seen->request) / m->seconds : 0.0,
                     "by_default", i == 0, "chosen", chosen, "gain", timed ? list[0].seconds / m->seconds : 0.0);
}

static bool tune_op(struct session *s, size_t index, double until, strata_error *err)
{
    const struct seen *seen = &s->ops->list[index];
    struct measurement list[STRATA_MOST_IMPLEMENTATIONS];
    char key[STRATA_REQUEST_TEXT];
    size_t count;
    if (!strata_meter_compare(s->meter, &seen->request, until, list, &count, err)) return strata_fail_in(err, "%s", seen->step);
    const bool measured = list[0].as == MEASURED;
    const size_t best = strata_meter_best(list, count);
    s->tuned->unmeasured += !measured;
    if (measured) s->chosen[index] = list[best].implementation;
    bool ok = !measured
              || json_object_set_new(json_object_get(s->tuned->choices, "ops"), strata_request_key(&seen->request, key),
                                     json_string(list[best].implementation)) == 0
              || out_of_memory(err);
    for (size_t i = 0; ok && i < count; i++) ok = add_line(s, line_of(s, seen, list, i, i == best), err);
    return ok;
}

static bool tune_ops(struct session *s, double until, strata_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < s->ops->count; i++) ok = tune_op(s, i, until, err);
    return ok;
}

/* ---- parameters of CLBlast --------------------------------------------------------------------------------------------------- */

static bool add_set(struct session *s, const struct clblast_measurement *list, size_t i, bool chosen, double least, size_t uses,
                    strata_error *err)
{
    char text[STRATA_CLBLAST_TEXT], shape[64];
    const bool timed = list[i].as == MEASURED;
    snprintf(shape, sizeof shape, "%zu shapes", uses);
    json_t *line = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:f, s:f, s:b, s:b, s:f}", "device", strata_device_text(s->device),
                             "step", "", "operation", "all products by CLBlast", "shape", shape, "implementation", strata_clblast_text(list[i].set, text), "outcome",
                             (int)list[i].as, "seconds", timed ? list[i].seconds : 0.0, "of_limit",
                             timed ? least / list[i].seconds : 0.0, "by_default", i == 0, "chosen", chosen, "gain",
                             timed ? list[0].seconds / list[i].seconds : 0.0);
    return add_line(s, line, err);
}

static bool tune_clblast(struct session *s, double until, strata_error *err)
{
    struct clblast_use *uses = strata_alloc(s->ops->count, sizeof *uses, err);
    struct clblast_measurement *list = NULL;
    size_t count = 0, tried = 0, best = 0;
    double least = 0;
    for (size_t i = 0; uses && i < s->ops->count; i++) {
        const struct seen *seen = &s->ops->list[i];
        if (!s->chosen[i] || (strcmp(s->chosen[i], "clblast") != 0 && strcmp(s->chosen[i], "im2col") != 0)) continue;
        uses[count++] = (struct clblast_use){ &seen->request, s->chosen[i], seen->times };
        least += (double)seen->times * least_seconds(s, &seen->request);
    }
    bool ok = uses != NULL;
    if (ok && count > 0) {
        ok = strata_clblast_compare(s->meter, uses, count, until, &list, &tried, &best, err);
        ok = ok && (json_object_set(s->tuned->choices, "clblast", best ? list[best].set : json_null()) == 0 || out_of_memory(err));
    }
    for (size_t i = 0; ok && i < tried; i++) ok = add_set(s, list, i, i == best, least, count, err);
    strata_clblast_list_free(list, tried);
    free(uses);
    return ok;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------------- */

static bool measure(struct session *s, double seconds, strata_error *err)
{
    const bool library = strata_device_class_of(s->device) == STRATA_GPU_CLASS;
    struct request *requests = strata_alloc(s->ops->count, sizeof *requests, err);
    for (size_t i = 0; requests && i < s->ops->count; i++) requests[i] = s->ops->list[i].request;
    const double start = strata_clock();
    const bool ok = requests && (s->meter = strata_meter_create(s->device, requests, s->ops->count, err))
                    && tune_ops(s, start + (library ? seconds / 2 : seconds), err)
                    && (!library || tune_clblast(s, start + seconds, err));
    strata_meter_free(s->meter);
    free(requests);
    return ok;
}

bool strata_ops_tune(struct ops *ops, struct device *device, double seconds, struct tuned *tuned, strata_error *err)
{
    struct session s = { .ops = ops, .device = device, .tuned = tuned };
    *tuned = (struct tuned){ .lines = json_array(), .choices = json_pack("{s:{}}", "ops") };
    if (ops->count > 0) qsort(ops->list, ops->count, sizeof *ops->list, costly_first);
    strata_device_use_choices(device, false);
    const bool ok = ((tuned->lines && tuned->choices) || out_of_memory(err)) && strata_device_peak(device, &s.peak, err)
                    && (s.chosen = strata_alloc(ops->count, sizeof *s.chosen, err)) && measure(&s, seconds, err);
    strata_device_use_choices(device, true);
    free(s.chosen);
    return ok;
}
