/* strata bench: training steps a second on the standard workloads, data in memory. */
#define _GNU_SOURCE /* sched_getaffinity */
#include <math.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strata/text.h>
#include <strata/train.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "cli/output.h"

struct workload {
    const char *name, *about;
    size_t batch; /* of one rank */
    int rank;     /* of a sample */
    size_t shape[3];
    double mflop;       /* multiplications and additions to train on a sample, in millions */
    const char *layers; /* with an Input before and Dense(10) after */
};

#define CONV(filters)                                                                                        \
    "{\"Conv2D\": {\"filters\": " filters ", \"kernel_size\": 3, \"activation\": \"relu\"}}, "
#define CONV_BN(filters)                                                                                     \
    "{\"Conv2D\": {\"filters\": " filters ", \"kernel_size\": 3, \"padding\": \"same\"}}, "                  \
    "{\"BatchNormalization\": {}}, {\"Activation\": {\"activation\": \"relu\"}}, "
#define POOL(size) "{\"MaxPooling2D\": {\"pool_size\": " size "}}, "
#define DENSE(units) "{\"Dense\": {\"units\": " units ", \"activation\": \"relu\"}}, "

static const struct workload workloads[] = {
    { "W1", "784: two Dense 512", 128, 1, { 784 }, 3.2, DENSE("512") DENSE("512") },
    { "W2",
      "28x28x1: Conv 32, Conv 64, Dense 128",
      128,
      3,
      { 28, 28, 1 },
      71.6,
      CONV("32") CONV("64") POOL("2") "{\"Flatten\": {}}, " DENSE("128") },
    { "W3",
      "250x250x3: six Conv 32",
      16,
      3,
      { 250, 250, 3 },
      1115,
      "{\"Conv2D\": {\"filters\": 32, \"kernel_size\": 5, \"strides\": 2, \"activation\": \"relu\"}}, " CONV(
          "32") POOL("3") CONV("32") CONV("32") POOL("3") CONV("32") CONV("32")
          POOL("2") "{\"GlobalMaxPooling2D\": {}}, " },
    { "W4",
      "32x32x3: six Conv with BatchNormalization",
      64,
      3,
      { 32, 32, 3 },
      913,
      CONV_BN("64") CONV_BN("64") POOL("2") CONV_BN("128") CONV_BN("128") POOL("2") CONV_BN("256")
          CONV_BN("256") "{\"GlobalAveragePooling2D\": {}}, " },
};
enum { WORKLOADS = sizeof workloads / sizeof *workloads, BLOCKS = 3, DATA_BATCHES = 4 };

static const struct workload *find(const char *name, strata_error *err)
{
    const char *names[WORKLOADS];
    for (size_t i = 0; i < WORKLOADS; i++) {
        names[i] = workloads[i].name;
        if (strcmp(name, names[i]) == 0) return &workloads[i];
    }
    strata_command_fail(err, STRATA_EUSAGE, "no workload \"%s\"; there are W1, W2, W3 and W4", name);
    return NULL;
}

/* ---- the model and its data ------------------------------------------------------------------------------------ */

static strata_model *make_model(const struct workload *w, strata_error *err)
{
    char json[4096], dims[64] = "";
    size_t used = 0;
    for (int i = 0; i < w->rank; i++)
        used += (size_t)snprintf(dims + used, sizeof dims - used, "%s%zu", i ? ", " : "", w->shape[i]);
    snprintf(json, sizeof json, "[{\"Input\": {\"shape\": [%s]}}, %s{\"Dense\": {\"units\": 10}}]", dims,
             w->layers);
    strata_model *model = strata_model_from_json(json, err);
    if (model
        && strata_model_compile(model,
                                "{\"optimizer\": {\"Adam\": {\"learning_rate\": 0.001}}, \"loss\": "
                                "{\"SparseCategoricalCrossentropy\": {\"from_logits\": true}}}",
                                err))
        return model;
    strata_model_free(model);
    return NULL;
}

/* Numbers in [0, 1) and labels in 0..9 by a linear congruential generator (Numerical Recipes); any will do for speed. */
static strata_data *make_data(const struct workload *w, size_t samples, strata_error *err)
{
    strata_array x = { .type = STRATA_FLOAT32, .rank = w->rank + 1, .dim = { samples } };
    strata_array y = { .type = STRATA_INT32, .rank = 1, .dim = { samples } };
    size_t size = 1;
    for (int i = 0; i < w->rank; i++) size *= x.dim[i + 1] = w->shape[i];
    float *images = malloc(samples * size * sizeof *images);
    int32_t *labels = malloc(samples * sizeof *labels);
    strata_data *data = NULL;
    uint32_t state = 1;
    for (size_t i = 0; images && i < samples * size; i++)
        images[i] = (float)((state = state * 1664525u + 1013904223u) >> 8) * 0x1p-24f;
    for (size_t i = 0; labels && i < samples; i++)
        labels[i] = (int32_t)((state = state * 1664525u + 1013904223u) >> 8) % 10;
    x.values = images;
    y.values = labels;
    if (images && labels)
        data = strata_data_from_arrays(&x, &y, NULL, err);
    else
        strata_command_fail(err, STRATA_EMEMORY, "out of memory");
    free(images);
    free(labels);
    return data;
}

/* ---- the clock ------------------------------------------------------------------------------------------------- */

/* Rates of three blocks of equal time after a warm-up, by the numbers that all ranks are told alike, so that all stop after
 * the same step. */
struct stopwatch {
    double warm_up, block; /* seconds */
    double from;           /* when the running block began; negative in the warm-up */
    size_t samples;        /* done by then */
    double rates[BLOCKS];
    int done;
};

static bool tick(void *context, const strata_progress *now)
{
    struct stopwatch *s = context;
    if (s->from < 0) {
        if (now->seconds < s->warm_up || now->step < 3) return true;
    } else if (now->seconds - s->from < s->block)
        return true;
    else
        s->rates[s->done++] = (double)(now->samples - s->samples) / (now->seconds - s->from);
    s->from = now->seconds;
    s->samples = now->samples;
    return s->done < BLOCKS;
}

static double median(const double v[BLOCKS])
{
    return fmax(fmin(v[0], v[1]), fmin(fmax(v[0], v[1]), v[2]));
}

/* ---- running --------------------------------------------------------------------------------------------------- */

static int threads(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

static bool report(const struct command *c, const struct workload *w, strata_context *context,
                   const struct stopwatch *s, strata_error *err)
{
    const int ranks = strata_context_size(context);
    const double rate = median(s->rates), step_ms = 1e3 * (double)w->batch * ranks / rate;
    const double gflops = rate * w->mflop * 1e-3;
    if (c->json)
        return strata_print_json(
            json_pack("{s:s, s:i, s:i, s:I, s:f, s:f, s:f, s:s, s:[f,f,f]}", "workload", w->name, "ranks",
                      ranks, "threads", threads(), "batch_size", (json_int_t)w->batch * ranks,
                      "samples_per_second", rate, "step_ms", step_ms, "gflops", gflops, "device",
                      strata_context_device(context), "blocks", s->rates[0], s->rates[1], s->rates[2]),
            err);
    strata_print("%s  %-42s %10.1f samples/s  %8.2f ms/step  %7.1f GFLOP/s  %d rank%s, %d threads, %s\n",
                 w->name, w->about, rate, step_ms, gflops, ranks, ranks == 1 ? "" : "s", threads(),
                 strata_context_device(context));
    return true;
}

static bool measure(const struct command *c, const struct workload *w, strata_context *context,
                    double seconds, strata_error *err)
{
    const size_t batch = w->batch * (size_t)strata_context_size(context);
    struct stopwatch watch = { .warm_up = fmin(2, seconds / 2), .block = seconds / BLOCKS, .from = -1 };
    strata_data *data = make_data(w, batch * DATA_BATCHES, err);
    strata_model *model = data ? make_model(w, err) : NULL;
    strata_fit_config config = strata_fit_defaults();
    config.batch_size = batch;
    config.steps_per_epoch = (size_t)1 << 30;
    config.progress = tick;
    config.progress_context = &watch;
    config.progress_seconds = fmin(0.1, seconds / 30);
    const bool ok = strata_context_agree(context, model != NULL, err)
                    && strata_model_fit(model, context, data, &config, NULL, err)
                    && report(c, w, context, &watch, err);
    strata_model_free(model);
    strata_data_free(data);
    return ok;
}

static bool find_all(const struct command *c, const struct workload **chosen, size_t *count,
                     strata_error *err)
{
    *count = c->word_count > 0 ? c->word_count : WORKLOADS;
    for (size_t i = 0; i < *count; i++)
        if (!(chosen[i] = c->word_count > 0 ? find(c->words[i], err) : &workloads[i])) return false;
    return true;
}

static bool run(const struct command *c, strata_error *err)
{
    const struct workload *chosen[2 * WORKLOADS];
    size_t count;
    double seconds;
    if (!strata_command_number(c, "--seconds", 6, &seconds, err) || !find_all(c, chosen, &count, err))
        return false;
    strata_context *context = strata_open_context(c->devices, true, err);
    bool ok = context != NULL;
    for (size_t i = 0; ok && i < count; i++) ok = measure(c, chosen[i], context, seconds, err);
    strata_context_free(context);
    return ok;
}

static const struct option options[] = {
    { "--seconds", 0, "S", "how long each workload is measured, after a warm-up; 6" },
    { 0 },
};

extern const struct verb strata_verb_bench;
const struct verb strata_verb_bench = {
    .name = "bench",
    .usage = "[W1|W2|W3|W4 ...] [--seconds S]",
    .summary = "training steps a second on the standard workloads",
    .details = "  One step is forward, backward and Adam on random data in memory. The batch is the "
               "workload's times the\n"
               "  ranks. The rate is the median of three blocks.\n",
    .options = options,
    .words_most = 2 * WORKLOADS,
    .collective = true,
    .run = run,
};
