/* strata bench: training steps, or inferences, a second on the standard workloads, data in memory. */
#define _GNU_SOURCE /* sched_getaffinity, clock_gettime */
#include <math.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <strata/text.h>
#include <strata/train.h>

#include "cli/bench_models.h"
#include "cli/bench_scale.h"
#include "cli/cli.h"
#include "cli/load.h"
#include "cli/output.h"
#include "cli/profile.h"

enum { MOST = 16, BLOCKS = 3, DATA_BATCHES = 4, INFERENCE_BATCHES = 16 };

static const struct workload *find(const char *name, strata_error *err)
{
    char known[128] = "";
    for (const struct workload *w = strata_workloads; w->name; w++) {
        if (strcmp(name, w->name) == 0) return w;
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", known[0] ? ", " : "", w->name);
    }
    strata_command_fail(err, STRATA_EUSAGE, "no workload \"%s\"; there are %s", name, known);
    return NULL;
}

/* ---- data ------------------------------------------------------------------------------------------------------ */

/* Numbers in [0, 1) and labels by a linear congruential generator (Numerical Recipes); any will do for speed. */
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
        labels[i] = (int32_t)((state = state * 1664525u + 1013904223u) >> 8) % w->classes;
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
    strata_context *context;
    double warm_up, block; /* seconds */
    double from;           /* when the running block began; negative in the warm-up */
    size_t samples;        /* done by then */
    double rates[BLOCKS];
    int done;
    struct rusage began, ended; /* around all blocks */
    size_t first_samples;       /* done when they began */
    bool ok; /* else `error` */
    strata_error error;
};

static bool tick(void *context, const strata_progress *now)
{
    struct stopwatch *s = context;
    if (s->done == BLOCKS) return false; /* the epoch's end comes after the last block */
    if (s->from < 0) {
        if (now->seconds < s->warm_up || now->step < 3) return true;
    } else if (now->seconds - s->from < s->block)
        return true;
    else
        s->rates[s->done++] = (double)(now->samples - s->samples) / (now->seconds - s->from);
    if (s->from < 0) {
        s->ok = strata_context_profile_reset(s->context, &s->error);
        s->first_samples = now->samples;
        getrusage(RUSAGE_SELF, &s->began);
    }
    getrusage(RUSAGE_SELF, &s->ended);
    s->from = now->seconds;
    s->samples = now->samples;
    return s->ok && s->done < BLOCKS;
}

/* Of all threads, a sample of this rank's. */
static double processor_seconds(const struct stopwatch *s, int ranks)
{
    const struct timeval *a[] = { &s->began.ru_utime, &s->began.ru_stime }, *b[] = { &s->ended.ru_utime, &s->ended.ru_stime };
    double seconds = 0;
    for (int i = 0; i < 2; i++)
        seconds += (double)(b[i]->tv_sec - a[i]->tv_sec) + 1e-6 * (double)(b[i]->tv_usec - a[i]->tv_usec);
    return seconds / (double)(s->samples - s->first_samples) * ranks;
}

/* The most memory that this process held so far, in MiB: the host's, and that of a device that computes in it. */
static double peak_memory(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)use.ru_maxrss / 1024;
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
                   const struct stopwatch *s, const strata_peak *peak, strata_error *err)
{
    const int ranks = strata_context_size(context);
    const double rate = median(s->rates), step_ms = 1e3 * (double)w->batch * ranks / rate;
    const double gflops = rate * w->mflop * 1e-3, share = 1e9 * gflops / peak->flops;
    const double cpu_ms = 1e3 * (double)w->batch * processor_seconds(s, ranks);
    if (c->json)
        return strata_print_json(
            json_pack("{s:s, s:i, s:i, s:I, s:f, s:f, s:f, s:o, s:o, s:f, s:s, s:[f,f,f]}", "workload", w->name, "ranks",
                      ranks, "threads", threads(), "batch_size", (json_int_t)w->batch * ranks,
                      "samples_per_second", rate, "step_ms", step_ms, "cpu_ms", cpu_ms, "gflops", strata_json_number(gflops), "of_peak", strata_json_number(share),
                      "peak_rss_mib", peak_memory(), "device", strata_context_device(context), "blocks", s->rates[0], s->rates[1], s->rates[2]),
            err);
    char of_peak[64] = "";
    if (!isnan(gflops)) snprintf(of_peak, sizeof of_peak, "  %7.1f GFLOP/s, %3.0f %% of the peak", gflops, 100 * share);
    strata_print("%-3s  %-42s %10.1f samples/s  %8.2f ms/step (%.2f of one core)%s  %.0f MiB  %d rank%s, %d threads, %s\n", w->name,
                 w->about, rate, step_ms, cpu_ms, of_peak, peak_memory(), ranks, ranks == 1 ? "" : "s", threads(),
                 strata_context_device(context));
    return true;
}

static strata_balance balance_of(const struct command *c)
{
    const char *word = strata_command_option(c, "--balance");
    return !word ? STRATA_BALANCE_UNLIKE : strcmp(word, "auto") == 0 ? STRATA_BALANCE_AUTO : STRATA_BALANCE_EQUAL;
}

static bool train(const struct command *c, strata_model *model, const strata_data *data, size_t batch, struct stopwatch *watch,
                  double seconds, strata_error *err)
{
    strata_fit_config config = strata_fit_defaults();
    config.batch_size = batch;
    config.steps_per_epoch = (size_t)1 << 30;
    config.shuffle = false; /* the peers take their batches in turn */
    config.cache_frozen = strata_command_has(c, "--cached");
    config.progress = tick;
    config.progress_context = watch;
    config.progress_seconds = fmin(0.1, seconds / 30);
    config.balance = balance_of(c);
    return strata_model_fit(model, watch->context, data, &config, NULL, err);
}

/* Time from batch to batch; what lies between two passes over the data is left out. */
struct inference {
    struct stopwatch *watch;
    strata_progress now;
    double before; /* when the last batch came; negative: none of this pass has */
    bool more;
};

static bool take_rows(void *context, size_t output, size_t first, size_t count, const float *values, strata_error *err)
{
    struct inference *i = context;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    const double now = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    (void)output;
    (void)first;
    (void)values;
    (void)err;
    if (i->before >= 0 && i->more) {
        i->now.seconds += now - i->before;
        i->now.samples += count;
        i->now.step++;
        i->more = tick(i->watch, &i->now);
    }
    i->before = now;
    return true;
}

static bool infer(strata_model *model, const strata_data *data, size_t batch, struct stopwatch *watch, strata_error *err)
{
    struct inference inference = { .watch = watch, .more = true };
    bool ok = true;
    while (ok && inference.more) {
        inference.before = -1;
        ok = strata_model_predict_rows(model, watch->context, data, batch, take_rows, &inference, err);
    }
    return ok;
}

/* Its batch is that of --batch. What a wider one multiplies and adds is not known. */
static bool resize(const struct command *c, struct workload *w, size_t *width, strata_error *err)
{
    if (!strata_command_count(c, "--batch", w->batch, &w->batch, err) || !strata_command_count(c, "--width", 1, width, err))
        return false;
    if (*width > 1) w->mflop = (double)NAN;
    return true;
}

/* --model: with one rank, from the step that was measured. */
static bool scale(const struct command *c, const struct workload *w, strata_context *context, const strata_model *model,
                  const struct stopwatch *s, strata_error *err)
{
    const double rate = median(s->rates), step = (double)w->batch * strata_context_size(context) / rate;
    size_t total, trainable;
    if (!strata_command_has(c, "--model")) return true;
    return strata_model_count_params(model, &total, &trainable, err)
           && strata_bench_scale(c, w->name, context, step, (double)w->batch, (double)trainable * sizeof(float), err);
}

static bool measure(const struct command *c, const struct workload *standard, strata_context *context,
                    double seconds, const strata_peak *peak, strata_error *err)
{
    struct workload resized = *standard;
    const struct workload *w = &resized;
    size_t width;
    if (!resize(c, &resized, &width, err)) return false;
    const size_t batch = w->batch * (size_t)strata_context_size(context);
    struct stopwatch watch = { .context = context, .ok = true, .warm_up = fmin(2, seconds / 2), .block = seconds / BLOCKS, .from = -1 };
    const bool inferring = strata_command_has(c, "--infer");
    strata_data *data = make_data(w, batch * (inferring ? INFERENCE_BATCHES : DATA_BATCHES), err);
    strata_model *model = data ? strata_workload_model(w, width, err) : NULL;
    if (inferring) resized.mflop = (double)NAN;
    bool ok = strata_context_agree(context, model != NULL, err)
              && (inferring ? infer(model, data, batch, &watch, err) : train(c, model, data, batch, &watch, seconds, err));
    if (ok && !watch.ok) *err = watch.error;
    ok = ok && strata_context_agree(context, watch.ok, err) && report(c, w, context, &watch, peak, err)
         && strata_show_profile(c, context, err) && scale(c, w, context, model, &watch, err);
    strata_model_free(model);
    strata_data_free(data);
    return ok;
}

/* The workloads that are named; all, where neither they nor --peak or --products are given. */
static bool find_all(const struct command *c, const struct workload **chosen, size_t *count,
                     strata_error *err)
{
    const bool all = c->word_count == 0 && !strata_command_has(c, "--peak") && !strata_command_has(c, "--products");
    *count = c->word_count;
    for (size_t i = 0; i < c->word_count; i++)
        if (!(chosen[i] = find(c->words[i], err))) return false;
    for (const struct workload *w = strata_workloads; all && w->name; w++) chosen[(*count)++] = w;
    return true;
}

static bool report_peak(const struct command *c, const strata_context *context, const strata_peak *peak,
                        strata_error *err)
{
    if (!strata_command_has(c, "--peak")) return true;
    if (c->json)
        return strata_print_json(json_pack("{s:f, s:f, s:i, s:i, s:s}", "peak_gflops", 1e-9 * peak->flops,
                                           "peak_gbytes", 1e-9 * peak->bytes, "ranks",
                                           strata_context_size(context), "threads", threads(), "device",
                                           strata_context_device(context)),
                                 err);
    strata_print("peak %.1f GFLOP/s, %.1f GB/s read and written  %d rank%s, %d threads, %s\n", 1e-9 * peak->flops,
                 1e-9 * peak->bytes, strata_context_size(context), strata_context_size(context) == 1 ? "" : "s",
                 threads(), strata_context_device(context));
    return true;
}

/* --products: how much of the peak they reach. */
static bool report_products(const struct command *c, strata_context *context, strata_error *err)
{
    size_t size;
    double flops[4] = { 0 }, peak;
    if (!strata_command_has(c, "--products")) return true;
    if (!strata_command_count(c, "--products", 1, &size, err) || !strata_context_products(context, size, flops, &peak, err)) return false;
    if (c->json)
        return strata_print_json(json_pack("{s:I, s:[f,f,f,f], s:[f,f,f,f], s:i}", "product", (json_int_t)size, "gflops",
                                           1e-9 * flops[0], 1e-9 * flops[1], 1e-9 * flops[2], 1e-9 * flops[3], "of_peak",
                                           flops[0] / peak, flops[1] / peak, flops[2] / peak, flops[3] / peak, "threads", threads()),
                                 err);
    strata_print("products of %zu x %zu matrices: A B %.0f %%, A B^T %.0f %%, A^T B %.0f %%, A^T B^T %.0f %% of the peak\n", size, size,
                 100 * flops[0] / peak, 100 * flops[1] / peak, 100 * flops[2] / peak, 100 * flops[3] / peak);
    return true;
}

static bool run(const struct command *c, strata_error *err)
{
    const struct workload *chosen[MOST];
    size_t count;
    double seconds;
    strata_peak peak;
    if (!strata_command_number(c, "--seconds", 6, &seconds, err) || !find_all(c, chosen, &count, err))
        return false;
    strata_context *context = strata_open_timed_context(c, c->devices, true, err);
    bool ok = context && strata_bench_scale_check(c, strata_context_size(context), err)
              && strata_context_peak(context, &peak, err) && report_peak(c, context, &peak, err)
              && report_products(c, context, err);
    for (size_t i = 0; ok && i < count; i++) ok = measure(c, chosen[i], context, seconds, &peak, err);
    if (!ok) strata_tell_failure(c, err);
    strata_context_free(context);
    return ok;
}

static const struct option options[] = {
    { "--seconds", 0, "S", "how long each workload is measured, after a warm-up; 6" },
    { "--batch", 0, "N", "of a rank; the workload's" },
    { "--width", 0, "K", "K times the filters and units of the inner layers; 1" },
    { "--balance", 0, "auto|equal", "shares of several ranks, as of run.balance; auto where devices differ, else equal" },
    { "--cached", 0, NULL, "what a frozen base gives is computed once, as fit does it, not in every step (W5a, W5b)" },
    { "--infer", 0, NULL, "the forward pass alone, from arrays in memory to outputs in memory" },
    { "--peak", 0, NULL, "the most that the device can do: multiplications and additions, and memory" },
    { "--products", 0, "N", "the share of the peak that products of N x N matrices reach, with neither, one and both transposed" },
    STRATA_SCALE_OPTIONS,
    STRATA_PROFILE_OPTIONS,
    { 0 },
};

extern const struct verb strata_verb_bench;
const struct verb strata_verb_bench = {
    .name = "bench",
    .usage = "[W1|W2|W3|W4|W5a|W5b ...] [--seconds S] [--batch N] [--width K] [--balance auto|equal] [--cached] [--infer] [--peak] [--products N] [--profile] [--model]",
    .summary = "training steps a second on the standard workloads",
    .details = "  One step is forward, backward and Adam on random data in memory. The batch is the "
               "workload's times the\n"
               "  ranks. The rate is the median of three blocks; the peak is what the device reaches in registers alone.\n"
               "  Next to the time of a step stands what it took of one core, all threads together, which a busy machine changes less,\n"
               "  and before the ranks the most memory that the process held so far.\n"
               "  --model says what a step would take on 1 to 4096 ranks, each with that batch, from the measured step and the link\n"
               "  between ranks, which several ranks measure (then --step says what one takes alone); launch/scale beside measurements.\n",
    .options = options,
    .words_most = MOST,
    .collective = true,
    .run = run,
};
