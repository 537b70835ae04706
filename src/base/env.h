/* The one place that reads the environment.
 *
 *   STRATA_DEVICE_CLASS   cpu or gpu: the implementations to prefer, whatever the device is
 *   STRATA_IMPL           "gemm=tiled,conv2d=im2col": implementations forced by name
 *   STRATA_CACHE_DIR      where built kernels and tuning results are kept; else XDG_CACHE_HOME or HOME/.cache /strata
 *   STRATA_COMPILERS      how many processes compile kernels at a start without a cache, where the driver compiles one at a
 *                         time (PoCL); 0: none but the one that trains; else as many as the rank has cores, if it is not alone on one
 *   STRATA_SLOW           "rank:factor" or "rank:2.5ms" of a sample: makes a rank slower, to try out unequal devices
 *   STRATA_LINK           "100": the ranks pretend that a link of so many megabytes a second is between any two, to try out slow networks
 *   STRATA_FAULT          "site:k:action[@rank]": makes the k-th call at a site fail, for tests of reliability; see fault.h
 *
 * What a launcher set (strata_launch_rank and strata_launch_prepare of <strata/context.h>) is read here too. */
#ifndef STRATA_BASE_ENV_H
#define STRATA_BASE_ENV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The value of a variable, or NULL when unset or empty. */
const char *strata_env(const char *name);

/* Writes the cache folder to buffer; false when there is no place for one. */
bool strata_env_cache_dir(char *buffer, size_t size);

/* The implementation forced for `op` by STRATA_IMPL, copied to buffer; false when none is. */
bool strata_env_impl(const char *op, char *buffer, size_t size);

/* STRATA_COMPILERS, or `otherwise` when unset. STRATA_EUSAGE when it is no number of processes. */
bool strata_env_compilers(int otherwise, int *count, strata_error *err);

/* How slow a rank pretends to be: its computing takes `factor` times as long, or at least `each` seconds a sample, in steps
 * [first, last) of a run. */
struct slowness {
    double factor; /* at least 1; 1: as fast as it is */
    double each;   /* 0: as fast as it is */
    size_t first, last;
};

/* From STRATA_SLOW, "RANK:FACTOR[@FIRST[-LAST]],..." or "RANK:MILLISECONDSms...", what it says of this rank: steps are counted from 1, and LAST is the
 * last slow one. STRATA_EUSAGE when it cannot be read. */
bool strata_env_slow(int rank, struct slowness *slow, strata_error *err);

/* From STRATA_LINK, bytes a second each way; INFINITY when unset. STRATA_EUSAGE when it is no number above zero. */
bool strata_env_link(double *bytes_per_second, strata_error *err);

#endif
