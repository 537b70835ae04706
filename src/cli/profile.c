#include "cli/profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"

static int slower_first(const void *a, const void *b)
{
    const strata_profile_line *x = *(strata_profile_line *const *)a, *y = *(strata_profile_line *const *)b;
    return x->seconds < y->seconds ? 1 : x->seconds > y->seconds ? -1 : x < y ? -1 : 1;
}

/* Of the time that the operation needs at the peak, of calculations or of memory, whichever is longer. */
static double share_of_limit(const strata_profile_line *line, const strata_peak *peak)
{
    const double least = fmax(line->flops / peak->flops, line->bytes / peak->bytes);
    return line->seconds > 0 ? least / line->seconds : 0;
}

static const char *optional(char buffer[32], double value, const char *format)
{
    if (value > 0)
        snprintf(buffer, 32, format, value);
    else
        buffer[0] = '\0';
    return buffer;
}

static void add_line(struct table *table, const strata_profile_line *line, double all, const strata_peak *peak)
{
    char flops[32], bytes[32], share[32];
    char how[200];
    snprintf(how, sizeof how, "%s%s%s", line->operation, line->implementation[0] ? ": " : "", line->implementation);
    strata_table_add(table, "%s", line->step);
    strata_table_add(table, "%s", how);
    strata_table_add(table, "%zu", line->times);
    strata_table_add(table, "%.3f", 1e3 * line->seconds / (double)line->times);
    strata_table_add(table, "%.1f %%", 100 * line->seconds / all);
    strata_table_add(table, "%s", optional(flops, 1e-9 * line->flops / line->seconds, "%.1f"));
    strata_table_add(table, "%s", optional(bytes, 1e-9 * line->bytes / line->seconds, "%.1f"));
    strata_table_add(table, "%s", optional(share, 100 * share_of_limit(line, peak), "%.0f %%"));
}

static bool print_table(strata_profile_line *const *lines, size_t count, const strata_peak *peak, strata_error *err)
{
    static const char *const head[] = { "step", "operation", "times", "ms", "of all", "GFLOP/s", "GB/s", "of limit" };
    struct table table = { .columns = 8, .align = "llrrrrrr" };
    double all = 0;
    for (size_t i = 0; i < count; i++) all += lines[i]->seconds;
    for (size_t i = 0; i < 8; i++) strata_table_add(&table, "%s", head[i]);
    for (size_t i = 0; i < count; i++)
        if (lines[i]->times > 0) add_line(&table, lines[i], all, peak);
    if (!strata_table_print(&table, err)) return false;
    strata_print("%.3f s in all on this rank's device; the limit is %.1f GFLOP/s and %.1f GB/s\n", all, 1e-9 * peak->flops,
                 1e-9 * peak->bytes);
    return true;
}

static bool print_lines(strata_profile_line *const *lines, size_t count, const strata_peak *peak, strata_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = strata_print_json(
            json_pack("{s:s, s:s, s:s, s:s, s:I, s:f, s:f, s:f, s:f}", "event", "profile", "step", lines[i]->step, "operation",
                      lines[i]->operation, "implementation", lines[i]->implementation, "times",
                      (json_int_t)lines[i]->times, "seconds", lines[i]->seconds, "flops", lines[i]->flops, "bytes",
                      lines[i]->bytes, "of_limit", share_of_limit(lines[i], peak)),
            err);
    return ok;
}

static bool show(const struct command *c, const strata_profile *profile, const strata_peak *peak, strata_error *err)
{
    strata_profile_line **sorted = calloc(profile->count + 1, sizeof(strata_profile_line *));
    if (!sorted) return strata_command_fail(err, STRATA_EMEMORY, "out of memory");
    for (size_t i = 0; i < profile->count; i++) sorted[i] = &profile->lines[i];
    qsort(sorted, profile->count, sizeof *sorted, slower_first);
    const bool ok = c->json ? print_lines(sorted, profile->count, peak, err)
                            : print_table(sorted, profile->count, peak, err);
    free(sorted);
    return ok;
}

/* ---- the trace ------------------------------------------------------------------------------------------------- */

/* Chrome's trace event format: complete events ("ph": "X") in microseconds, a thread a queue. */
static json_t *trace_of(const strata_profile *profile)
{
    json_t *events = json_array();
    for (size_t i = 0; i < profile->span_count; i++) {
        const strata_profile_span *span = &profile->spans[i];
        const strata_profile_line *line = &profile->lines[span->line];
        json_array_append_new(events, json_pack("{s:s, s:s, s:s, s:f, s:f, s:i, s:i, s:{s:s}}", "ph", "X", "name",
                                                line->step[0] ? line->step : line->operation, "cat", line->operation, "ts",
                                                1e6 * span->start, "dur", 1e6 * span->seconds, "pid", 0, "tid",
                                                span->queue, "args", "implementation", line->implementation));
    }
    return json_pack("{s:s, s:o}", "displayTimeUnit", "ms", "traceEvents", events);
}

static bool write_trace(const strata_profile *profile, const char *path, strata_error *err)
{
    json_t *trace = trace_of(profile);
    const bool ok = trace && json_dump_file(trace, path, JSON_COMPACT) == 0;
    json_decref(trace);
    return ok || strata_command_fail(err, STRATA_EFILE, "%s: cannot be written", path);
}

bool strata_wants_profile(const struct command *c)
{
    return strata_command_has(c, "--profile") || strata_command_has(c, "--trace");
}

static bool show_all(const struct command *c, strata_context *context, const strata_profile *profile, strata_error *err)
{
    strata_peak peak = { 0 };
    return strata_context_peak(context, &peak, err) && show(c, profile, &peak, err);
}

bool strata_show_profile(const struct command *c, strata_context *context, strata_error *err)
{
    const char *path = strata_command_option(c, "--trace");
    if (!strata_wants_profile(c)) return true;
    const strata_profile *profile = strata_context_profile(context, err);
    bool ok = profile != NULL;
    if (ok && path && strata_context_rank(context) == 0) ok = write_trace(profile, path, err);
    if (!strata_context_agree(context, ok, err)) return false;
    return !strata_command_has(c, "--profile") || show_all(c, context, profile, err);
}
