/* OpenCL devices, as `strata devices` lists them. */
#ifndef STRATA_DEVICE_H
#define STRATA_DEVICE_H

#include <stddef.h>
#include <strata/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum strata_device_class { STRATA_CPU_CLASS, STRATA_GPU_CLASS } strata_device_class;

typedef struct strata_device_info {
    int index;                 /* its number in the list, what --devices takes */
    char platform[128], name[128], vendor[128], driver[128];
    strata_device_class class_default; /* CPU devices: STRATA_CPU_CLASS; all others: STRATA_GPU_CLASS */
    bool is_cpu, is_gpu;
    int compute_units;
    size_t memory, max_allocation; /* bytes */
    int native_vector_width;       /* floats */
    bool unified;                  /* shares its memory with the host */
    bool half;                     /* has cl_khr_fp16 */
} strata_device_info;

/* Every device of every platform, in a fixed order: platforms by name, then the platform's own order. *list is the
 * caller's (free); *count may be 0, which is not an error. */
STRATA_API STRATA_CHECKED bool strata_devices(strata_device_info **list, size_t *count, strata_error *err);

#ifdef __cplusplus
}
#endif
#endif
