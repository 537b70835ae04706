#include "base/env.h"

#include <math.h>
#include <strata/context.h> /* strata_launch_... */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *strata_env(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

bool strata_env_cache_dir(char *buffer, size_t size)
{
    const char *own = strata_env("STRATA_CACHE_DIR"), *xdg = strata_env("XDG_CACHE_HOME"), *home = strata_env("HOME");
    int length = -1;
    if (own)
        length = snprintf(buffer, size, "%s", own);
    else if (xdg)
        length = snprintf(buffer, size, "%s/strata", xdg);
    else if (home)
        length = snprintf(buffer, size, "%s/.cache/strata", home);
    return length > 0 && (size_t)length < size;
}

bool strata_env_impl(const char *op, char *buffer, size_t size)
{
    const char *at = strata_env("STRATA_IMPL");
    const size_t length = strlen(op);
    while (at) {
        if (strncmp(at, op, length) == 0 && at[length] == '=') {
            const size_t chars = strcspn(at + length + 1, ",");
            return (size_t)snprintf(buffer, size, "%.*s", (int)chars, at + length + 1) < size;
        }
        at = strchr(at, ',');
        at = at ? at + 1 : NULL;
    }
    return false;
}

bool strata_env_compilers(int otherwise, int *count, strata_error *err)
{
    enum { MOST = 1000 };
    const char *text = strata_env("STRATA_COMPILERS");
    char *end = NULL;
    const long number = text ? strtol(text, &end, 10) : otherwise;
    *count = (int)number;
    if (!text || (end != text && *end == '\0' && number >= 0 && number <= MOST)) return true;
    return strata_fail(err, STRATA_EUSAGE, "STRATA_COMPILERS is \"%s\"; how many processes is expected, 0 to %d", text, MOST);
}

/* "FACTOR" or "MILLISECONDSms"; *end is behind it. */
static bool parse_pace(const char *at, struct slowness *slow, char **end)
{
    const double number = strtod(at, end);
    if (*end == at || !(number > 0 && number <= 1e6)) return false;
    const bool each = strncmp(*end, "ms", 2) == 0;
    *slow = (struct slowness){ .factor = each ? 1 : number, .each = each ? 1e-3 * number : 0, .last = SIZE_MAX };
    *end += each ? 2 : 0;
    return slow->factor >= 1;
}

/* One entry, "RANK:PACE[@FIRST[-LAST]]"; *end is behind it. */
static bool parse_slow(const char *at, long *rank, struct slowness *slow, char **end)
{
    *rank = strtol(at, end, 10);
    if (*end == at || **end != ':' || *rank < 0) return false;
    if (!parse_pace(*end + 1, slow, end)) return false;
    if (**end != '@') return true;
    at = *end + 1;
    const unsigned long first = strtoul(at, end, 10);
    if (*end == at || first < 1) return false;
    slow->first = first - 1;
    if (**end != '-') return true;
    at = *end + 1;
    slow->last = strtoul(at, end, 10);
    return *end != at && slow->last >= first;
}

bool strata_env_slow(int rank, struct slowness *slow, strata_error *err)
{
    const char *text = strata_env("STRATA_SLOW");
    *slow = (struct slowness){ .factor = 1 };
    for (const char *at = text; at && *at;) {
        struct slowness entry;
        char *end = NULL;
        long of = 0;
        if (!parse_slow(at, &of, &entry, &end) || (*end && *end != ','))
            return strata_fail(err, STRATA_EUSAGE,
                               "STRATA_SLOW is \"%s\"; RANK:FACTOR[@FIRST[-LAST]],... is expected, such as 0:4,1:2@20-60, "
                               "with factors of at least 1, or RANK:MILLISECONDSms, of a sample, such as 0:2.5ms", text);
        if (of == rank) *slow = entry;
        at = *end ? end + 1 : end;
    }
    return true;
}

bool strata_env_link(double *bytes_per_second, strata_error *err)
{
    const char *text = strata_env("STRATA_LINK");
    char *end = NULL;
    const double megabytes = text ? strtod(text, &end) : INFINITY;
    *bytes_per_second = 1e6 * megabytes;
    if (!text || (end != text && *end == '\0' && megabytes > 0)) return true;
    return strata_fail(err, STRATA_EUSAGE, "STRATA_LINK is \"%s\"; megabytes a second are expected, such as 100", text);
}

/* Open MPI, MPICH and Intel MPI, PMIx, Slurm. */
int strata_launch_rank(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *rank = strata_env(names[i]);
        if (rank) return atoi(rank);
    }
    return 0;
}

void strata_launch_prepare(void)
{
    static const char *const chosen[] = { "OMPI_MCA_pml", "OMPI_MCA_btl", "OMPI_MCA_mtl" };
    const char *all = strata_env("OMPI_COMM_WORLD_SIZE"), *here = strata_env("OMPI_COMM_WORLD_LOCAL_SIZE");
    if (!all || !here || strcmp(all, here) != 0) return;
    for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++)
        if (strata_env(chosen[i])) return;
    setenv("OMPI_MCA_pml", "ob1", 1);
    setenv("OMPI_MCA_btl", "self,vader", 1);
}
