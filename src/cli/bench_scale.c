#include "cli/bench_scale.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"

static const double bucket_bytes = 1 << 20; /* as fit cuts them */

static bool read_options(const struct command *c, strata_scale *scale, double step, strata_error *err)
{
    double latency, bandwidth;
    if (!strata_command_number(c, "--step", 1e3 * step, &scale->compute, err)
        || !strata_command_count(c, "--per-host", scale->per_host, &scale->per_host, err)
        || !strata_command_number(c, "--latency", 1e6 * scale->far.latency, &latency, err)
        || !strata_command_number(c, "--bandwidth", 1e-9 * scale->far.bandwidth, &bandwidth, err))
        return false;
    scale->compute *= 1e-3;
    scale->far = (strata_link){ 1e-6 * latency, 1e9 * bandwidth };
    return true;
}

bool strata_bench_scale_check(const struct command *c, int ranks, strata_error *err)
{
    if (!strata_command_has(c, "--model") || ranks == 1 || strata_command_has(c, "--step")) return true;
    return strata_command_fail(err, STRATA_EUSAGE, "--model with %d ranks needs --step MS, what a step of one rank alone takes: "
                               "strata bench says it", ranks);
}

struct row {
    size_t ranks, hosts;
    strata_scale_step step;
    double seconds, rate, measured; /* measured: 0 where it was not */
};

static bool print_json(const char *workload, const struct row *r, strata_error *err)
{
    return strata_print_json(
        json_pack("{s:s, s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "event", "model", "workload", workload, "ranks",
                  (json_int_t)r->ranks, "hosts", (json_int_t)r->hosts, "step_ms", 1e3 * r->seconds, "compute_ms",
                  1e3 * r->step.compute, "communication_ms", 1e3 * r->step.communication, "exposed_ms", 1e3 * r->step.exposed,
                  "samples_per_second", r->rate, "of_ideal", r->step.compute / r->seconds, "measured_ms",
                  r->measured > 0 ? json_real(1e3 * r->measured) : json_null()),
        err);
}

static void add_row(struct table *table, const struct row *r)
{
    strata_table_add(table, "%zu", r->ranks);
    strata_table_add(table, "%zu", r->hosts);
    strata_table_add(table, "%.3f", 1e3 * r->seconds);
    strata_table_add(table, "%.3f", 1e3 * r->step.compute);
    strata_table_add(table, "%.3f", 1e3 * r->step.communication);
    strata_table_add(table, "%.3f", 1e3 * r->step.exposed);
    strata_table_add(table, "%.0f", r->rate);
    strata_table_add(table, "%.1f %%", 100 * r->step.compute / r->seconds);
    if (r->measured > 0)
        strata_table_add(table, "%.3f", 1e3 * r->measured);
    else
        strata_table_add(table, "%s", "");
}

static bool print_rows(const struct command *c, const char *workload, const strata_scale *scale, double samples, size_t own,
                       double measured, strata_error *err)
{
    static const char *const head[] = { "ranks", "hosts", "ms/step", "computing", "communication", "waited for", "samples/s",
                                        "of ideal", "measured" };
    struct table table = { .columns = 9, .align = "rrrrrrrrr" };
    bool ok = true;
    for (size_t i = 0; i < 9; i++) strata_table_add(&table, "%s", head[i]);
    for (size_t ranks = 1; ok && ranks <= STRATA_SCALE_MOST; ranks *= 2) {
        struct row row = { .ranks = ranks, .hosts = (ranks + scale->per_host - 1) / scale->per_host,
                           .step = strata_scale_model(scale, ranks), .measured = ranks == own ? measured : 0 };
        row.seconds = row.step.compute + row.step.exposed;
        row.rate = samples * (double)ranks / row.seconds;
        if (c->json)
            ok = print_json(workload, &row, err);
        else
            add_row(&table, &row);
    }
    if (c->json) {
        strata_table_free(&table);
        return ok;
    }
    strata_print("%s, %g samples a rank, %.1f MB of weights in %zu bucket%s; inside a host %.0f us and %.1f GB/s, between hosts "
                 "%.0f us and %.1f GB/s, %zu rank%s a host%s\n",
                 workload, samples, 1e-6 * scale->weights, scale->buckets, scale->buckets == 1 ? "" : "s",
                 1e6 * scale->near.latency, 1e-9 * scale->near.bandwidth, 1e6 * scale->far.latency, 1e-9 * scale->far.bandwidth,
                 scale->per_host, scale->per_host == 1 ? "" : "s",
                 scale->shares_cores && scale->per_host > 1 ? ", which share its cores" : "");
    return strata_table_print(&table, err);
}

/* On rank 0. */
static bool draw(const char *path, const char *workload, const strata_scale *scale, double samples, strata_error *err)
{
    char title[64];
    snprintf(title, sizeof title, "%s on 1 to %d ranks", workload, STRATA_SCALE_MOST);
    char *svg = strata_scale_svg(title, scale, samples, err);
    const bool ok = svg && strata_write_text(path, svg, err);
    free(svg);
    return ok;
}

bool strata_bench_scale(const struct command *c, const char *workload, strata_context *context, double step, double samples,
                        double weights, strata_error *err)
{
    const int ranks = strata_context_size(context);
    const char *path = strata_command_option(c, "--model");
    strata_scale scale = strata_scale_of(context);
    scale.weights = weights;
    scale.buckets = (size_t)fmax(1, floor(weights / bucket_bytes));
    if (!strata_scale_measure(&scale, context, err) || !read_options(c, &scale, step, err)) return false;
    bool ok = print_rows(c, workload, &scale, samples, (size_t)ranks, step, err);
    if (ok && path[0] && strata_context_rank(context) == 0) ok = draw(path, workload, &scale, samples, err);
    return strata_context_agree(context, ok, err);
}
