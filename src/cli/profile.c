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
    snprintf(how, sizeof how, "%s%s%s%s", line->operation, line->implementation[0] ? ": " : "", line->implementation,
             line->tuned ? ", tuned" : "");
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
    for (size_t i = 0; i < count; i++) add_line(&table, lines[i], all, peak);
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
            json_pack("{s:s, s:s, s:s, s:s, s:b, s:I, s:f, s:f, s:f, s:f}", "event", "profile", "step", lines[i]->step, "operation",
                      lines[i]->operation, "implementation", lines[i]->implementation, "tuned", lines[i]->tuned, "times",
                      (json_int_t)lines[i]->times, "seconds", lines[i]->seconds, "flops", lines[i]->flops, "bytes",
                      lines[i]->bytes, "of_limit", share_of_limit(lines[i], peak)),
            err);
    return ok;
}

static bool show(const struct command *c, const strata_profile *profile, const strata_peak *peak, strata_error *err)
{
    size_t count = 0;
    strata_profile_line **sorted = calloc(profile->count + 1, sizeof(strata_profile_line *));
    if (!sorted) return strata_command_fail(err, STRATA_EMEMORY, "out of memory");
    for (size_t i = 0; i < profile->count; i++)
        if (profile->lines[i].times > 0) sorted[count++] = &profile->lines[i];
    qsort(sorted, count, sizeof *sorted, slower_first);
    const bool ok = c->json ? print_lines(sorted, count, peak, err) : print_table(sorted, count, peak, err);
    free(sorted);
    return ok;
}

/* ---- what was asked for ----------------------------------------------------------------------------------------- */

bool strata_wants_profile(const struct command *c)
{
    return strata_command_has(c, "--profile") || strata_command_has(c, "--trace");
}

static bool show_all(const struct command *c, strata_context *context, const strata_profile *profile, strata_error *err)
{
    strata_peak peak = { 0 };
    return strata_context_peak(context, &peak, err) && show(c, profile, &peak, err);
}

/* --profile may name a file too. */
static const char *trace_path(const struct command *c)
{
    const char *path = strata_command_option(c, "--trace"), *other = strata_command_option(c, "--profile");
    return path ? path : other && other[0] ? other : NULL;
}

bool strata_show_profile(const struct command *c, strata_context *context, strata_error *err)
{
    const char *path = trace_path(c);
    if (!strata_wants_profile(c)) return true;
    if (path && !strata_context_trace(context, path, err)) return false;
    if (!strata_command_has(c, "--profile")) return true;
    const strata_profile *profile = strata_context_profile(context, err);
    return strata_context_agree(context, profile != NULL, err) && show_all(c, context, profile, err);
}
