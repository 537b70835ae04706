/* strata bench --model. */
#ifndef STRATA_CLI_BENCH_SCALE_H
#define STRATA_CLI_BENCH_SCALE_H

#include <strata/scale.h>

#include "cli/cli.h"

#define STRATA_SCALE_OPTIONS                                                                                          \
    { "--model", 0, "[=FILE.svg]", "how a step would grow to 4096 ranks, as a table, and drawn" },                    \
    { "--step", 0, "MS", "of --model with several ranks, which then measure their link: a step of one rank alone" }, \
    { "--per-host", 0, "N", "of --model: ranks a host; those that are here, or 1" },                                 \
    { "--latency", 0, "US", "of --model: microseconds until a small bucket has gone between two hosts; 50" },        \
    {                                                                                                                \
        "--bandwidth", 0, "GBS", "of --model: gigabytes a second between two hosts; 12.5"                            \
    }

/* STRATA_EUSAGE when --model cannot be served with so many ranks. */
bool strata_bench_scale_check(const struct command *command, int ranks, strata_error *err);

/* The table, and the file, for a workload: `step` seconds as measured, `samples` of a rank in it, `weights` bytes trained.
 * Collective. */
bool strata_bench_scale(const struct command *command, const char *workload, strata_context *context, double step, double samples,
                        double weights, strata_error *err);

#endif
