#include "device/choose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/text.h"

/* "local rank 1 of 4 on node7: devices "gpu": " and what was wrong, then the devices that there are. */
static bool refuse(const struct device_request *request, const strata_device_info *list, size_t count,
                   strata_error *err, const char *wrong)
{
    char node[256] = "this node";
    struct text there = { 0 };
    gethostname(node, sizeof node - 1);
    for (size_t i = 0; i < count; i++)
        strata_text_add(&there, "%s%d %s (%s)", i ? ", " : "", list[i].index, list[i].name, list[i].platform);
    strata_fail(err, STRATA_EDEVICE, "local rank %d of %d on %s: devices \"%s\": %s; there %s: %s", request->local_rank,
                request->local_size, node, request->devices ? request->devices : "auto", wrong,
                count == 1 ? "is" : "are", there.data ? there.data : "no OpenCL devices");
    strata_text_free(&there);
    return false;
}

/* The n-th device that is a CPU, or is none; -1 when there are fewer. */
static int nth(const strata_device_info *list, size_t count, bool cpu, int n)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].is_cpu == cpu && n-- == 0)
            return (int)i;
    return -1;
}

static int how_many(const strata_device_info *list, size_t count, bool cpu)
{
    int n = 0;
    for (size_t i = 0; i < count; i++)
        n += list[i].is_cpu == cpu;
    return n;
}

/* A rank's device by the automatic rule, or -1. */
static int automatic(const strata_device_info *list, size_t count, int rank)
{
    const int others = how_many(list, count, false), cpus = how_many(list, count, true);
    if (rank < others)
        return nth(list, count, false, rank);
    return cpus > 0 ? nth(list, count, true, (rank - others) % cpus) : -1;
}

static bool refuse_automatic(const struct device_request *request, const strata_device_info *list, size_t count,
                             strata_error *err)
{
    const char *wrong = count == 0 ? "no OpenCL device was found; install a driver (pocl-opencl-icd for the CPU) and "
                                     "see `strata devices`"
                                   : "there are more ranks than devices and no CPU device that could be split; start "
                                     "fewer ranks, or name devices that ranks may share";
    return refuse(request, list, count, err, wrong);
}

static bool contains(const char *text, const char *piece, size_t length)
{
    for (; *text; text++)
        if (strncasecmp(text, piece, length) == 0)
            return true;
    return false;
}

/* The device of one entry of the list: its number, or a piece of the name of exactly one. */
static bool named(const struct device_request *request, const strata_device_info *list, size_t count,
                  const char *entry, size_t length, int *index, strata_error *err)
{
    char wrong[300];
    if (length > 0 && strspn(entry, "0123456789") >= length) {
        const long number = length < 7 ? strtol(entry, NULL, 10) : -1;
        if (number >= 0 && (size_t)number < count) {
            *index = (int)number;
            return true;
        }
        snprintf(wrong, sizeof wrong, "there is no device %.*s", (int)length, entry);
        return refuse(request, list, count, err, wrong);
    }
    int found = 0;
    for (size_t i = 0; length > 0 && i < count; i++)
        if (contains(list[i].name, entry, length) || contains(list[i].platform, entry, length)) {
            *index = (int)i;
            found++;
        }
    if (found == 1)
        return true;
    if (found > 0)
        snprintf(wrong, sizeof wrong, "\"%.*s\" is %d devices; give a number or a longer piece of the name",
                 (int)length, entry, found);
    else
        snprintf(wrong, sizeof wrong, "no device is called \"%.*s\"", (int)length, entry);
    return refuse(request, list, count, err, wrong);
}

static int entries(const char *devices)
{
    int n = 1;
    for (; *devices; devices++)
        n += *devices == ',';
    return n;
}

/* The device of any rank of the node under our request. */
static bool device_of(const struct device_request *request, const strata_device_info *list, size_t count, int rank,
                      int *index, strata_error *err)
{
    const char *entry = request->devices;
    if (!entry || strcmp(entry, "auto") == 0) {
        *index = automatic(list, count, rank);
        return *index >= 0 || refuse_automatic(request, list, count, err);
    }
    if (entries(entry) != request->local_size) {
        char wrong[160];
        snprintf(wrong, sizeof wrong, "the list names %d device%s for %d rank%s on this node; give one entry a rank",
                 entries(entry), entries(entry) == 1 ? "" : "s", request->local_size,
                 request->local_size == 1 ? "" : "s");
        return refuse(request, list, count, err, wrong);
    }
    for (int i = 0; i < rank; i++)
        entry = strchr(entry, ',') + 1;
    entry += strspn(entry, " ");
    size_t length = strcspn(entry, ",");
    while (length > 0 && entry[length - 1] == ' ')
        length--;
    return named(request, list, count, entry, length, index, err);
}

bool strata_device_choose(const struct device_request *request, const strata_device_info *list, size_t count,
                          struct choice *choice, strata_error *err)
{
    *choice = (struct choice){ .parts = 1 };
    if (!device_of(request, list, count, request->local_rank, &choice->index, err))
        return false;
    if (!list[choice->index].is_cpu)
        return true;
    for (int rank = 0; rank < request->local_size; rank++) {
        int index = 0;
        const uint64_t *bindings = request->bindings;
        if (rank == request->local_rank || (bindings && bindings[rank] != bindings[request->local_rank]))
            continue;
        if (!device_of(request, list, count, rank, &index, err))
            return false;
        choice->parts += list[index].is_cpu;
        choice->part += list[index].is_cpu && rank < request->local_rank;
    }
    return true;
}
