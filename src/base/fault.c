#include "base/fault.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/context.h> /* strata_launch_rank */
#include <unistd.h>

#include "base/env.h"

enum { MOST_SWITCHES = 16 };

struct fault_switch {
    enum fault_site site;
    enum fault action;
    unsigned long call;
};

static const char *const sites[] = { "malloc", "file", "opencl", "mpi", "grad", NULL };
static const char *const actions[] = { "", "fail", "full", "denied", "nan", "kill", "stall", "count", NULL };

/* A process counts its own calls wherever they are made, also where nothing is that a counter could hang from: so these
 * are the library's only variables outside of handles. They change nothing unless STRATA_FAULT is set. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct fault_switch switches[MOST_SWITCHES];
static size_t switch_count;
static atomic_bool idle; /* STRATA_FAULT is not set, or says nothing of this process */
static atomic_ulong counts[FAULT_SITES];

/* ---- the variable -------------------------------------------------------------------------------------------------- */

/* The index of the word that ends at one of `ends`; -1: none of them. *at moves behind it. */
static int find_word(const char *const *words, const char **at, const char *ends)
{
    const size_t length = strcspn(*at, ends);
    for (int i = 0; words[i]; i++) {
        if (strlen(words[i]) != length || strncmp(words[i], *at, length) != 0 || length == 0) continue;
        *at += length;
        return i;
    }
    return -1;
}

/* One entry; *at is behind it. *ours: it is for this rank. */
static bool parse_one(const char **at, struct fault_switch *s, bool *ours)
{
    char *end;
    const int site = find_word(sites, at, ":");
    if (site < 0 || **at != ':') return false;
    s->site = (enum fault_site)site;
    s->call = strtoul(*at + 1, &end, 10);
    if (end == *at + 1 || *end != ':') return false;
    *at = end + 1;
    const int action = find_word(actions, at, "@,");
    if (action < 0) return false;
    s->action = (enum fault)action;
    *ours = true;
    if (**at == '@') {
        const long rank = strtol(*at + 1, &end, 10);
        if (end == *at + 1) return false;
        *at = end;
        *ours = rank == strata_launch_rank();
    }
    const bool of_file = s->action == FAULT_FULL || s->action == FAULT_DENIED, of_gradient = s->action == FAULT_NAN;
    return (s->action == FAULT_COUNT) == (s->call == 0) && (!of_file || s->site == FAULT_FILE)
           && (!of_gradient || s->site == FAULT_GRADIENT) && (s->action != FAULT_FAIL || s->site != FAULT_GRADIENT);
}

static bool parse(struct fault_switch *list, size_t *count)
{
    const char *at = strata_env("STRATA_FAULT");
    *count = 0;
    while (at && *at) {
        bool ours;
        if (*count == MOST_SWITCHES || !parse_one(&at, &list[*count], &ours) || (*at && *at != ',')) return false;
        if (ours) ++*count;
        if (*at) at++;
    }
    return true;
}

bool strata_fault_check(strata_error *err)
{
    struct fault_switch list[MOST_SWITCHES];
    size_t count;
    return parse(list, &count)
           || strata_fail(err, STRATA_EUSAGE, "STRATA_FAULT is \"%s\"; SITE:K:ACTION[@RANK],... is expected, such as file:3:full, "
                          "opencl:120:fail@1 or malloc:0:count: the sites are malloc, file, opencl, mpi and grad, the actions fail, "
                          "full and denied (of a file), nan (of grad, instead of fail), kill, stall and count", strata_env("STRATA_FAULT"));
}

/* ---- calls --------------------------------------------------------------------------------------------------------- */

static void tell_counts(void)
{
    for (size_t i = 0; i < switch_count; i++)
        if (switches[i].action == FAULT_COUNT)
            fprintf(stderr, "strata: STRATA_FAULT: %lu calls of %s\n", atomic_load(&counts[switches[i].site]),
                    sites[switches[i].site]);
}

static void prepare(void)
{
    bool counts_some = false;
    if (!parse(switches, &switch_count)) switch_count = 0;
    for (size_t i = 0; i < switch_count; i++) counts_some = counts_some || switches[i].action == FAULT_COUNT;
    if (counts_some) atexit(tell_counts);
    atomic_store(&idle, switch_count == 0);
}

void strata_stall(void)
{
    for (;;) pause();
}

static enum fault happen(const struct fault_switch *s)
{
    if (s->action == FAULT_COUNT) return FAULT_NONE;
    fprintf(stderr, "strata: STRATA_FAULT: call %lu of %s: %s\n", s->call, sites[s->site], actions[s->action]);
    if (s->action == FAULT_KILL) raise(SIGKILL);
    if (s->action == FAULT_STALL && s->site != FAULT_OPENCL) strata_stall();
    return s->action;
}

enum fault strata_fault(enum fault_site site)
{
    if (atomic_load_explicit(&idle, memory_order_relaxed)) return FAULT_NONE;
    pthread_once(&once, prepare);
    const unsigned long call = atomic_fetch_add(&counts[site], 1) + 1;
    for (size_t i = 0; i < switch_count; i++)
        if (switches[i].site == site && (switches[i].call == call || switches[i].action == FAULT_COUNT)) {
            const enum fault fault = happen(&switches[i]);
            if (fault != FAULT_NONE) return fault;
        }
    return FAULT_NONE;
}

bool strata_file_fault(void)
{
    const enum fault fault = strata_fault(FAULT_FILE);
    if (fault == FAULT_NONE) return false;
    errno = fault == FAULT_FULL ? ENOSPC : fault == FAULT_DENIED ? EACCES : EIO;
    return true;
}
