#define _GNU_SOURCE /* gettid */
#include "base/life.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* Of the time. Threads that look after others by the clock take a tenth of it. */
static const double WORTH = 0.01;

static double computed(void)
{
    struct timespec now = { 0 };
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The letter of /proc/self/task/THREAD/stat behind the name in brackets; '\0': no such thread. */
static char state_of(const char *thread)
{
    char path[64], text[128] = "";
    snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", thread);
    FILE *file = fopen(path, "r");
    if (!file) return '\0';
    const size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    const char *name = strrchr(text, ')');
    return name && name[1] == ' ' ? name[2] : '\0';
}

/* R: it runs or waits for a core; D: it waits for a disk or a server of files. */
static bool some_thread_is_awake(void)
{
    bool awake = false;
    DIR *threads = opendir("/proc/self/task");
    for (struct dirent *entry; threads && !awake && (entry = readdir(threads)) != NULL;) {
        if (entry->d_name[0] == '.' || strtol(entry->d_name, NULL, 10) == (long)gettid()) continue;
        const char state = state_of(entry->d_name);
        awake = state == 'R' || state == 'D';
    }
    if (threads) closedir(threads);
    return awake;
}

bool strata_is_alive(struct life *life)
{
    const struct life now = { strata_clock(), computed() };
    const bool computes = now.computed - life->computed > WORTH * (now.looked - life->looked);
    *life = now;
    return computes || some_thread_is_awake();
}
