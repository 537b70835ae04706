/* The processor cores that a rank computes on when its device is the CPU. */
#ifndef STRATA_DEVICE_CORES_H
#define STRATA_DEVICE_CORES_H

#include <stdbool.h>

/* first: the place of the part among the machine's cores, siblings of a core beside each other; -1 when the process
 * is bound to some of the cores only, where it has no such place. pinned: every thread keeps to the part. */
struct cores {
    int first, count, machine;
    bool pinned;
};

/* Pins the process to part `part` of `parts` of the cores it may use; more parts than cores share cores. A process
 * that is bound to some of the machine's cores already takes all of those, unless `alike` says that the other parts
 * have the same binding. Where the system has no pinning, count is still the fair share. */
void strata_cores_take(int part, int parts, bool alike, struct cores *cores);

/* PoCL makes a worker thread for every core of the machine, also where the process takes some of them, and wakes all of them for
 * each command. What it reads from the environment when it is first asked for devices tells it how many to make: as many as
 * strata_cores_take will give. Where the environment says so already, that stands. */
void strata_cores_tell_pocl(int part, int parts, bool alike);

#endif
