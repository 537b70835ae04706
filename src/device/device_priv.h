/* What the files of the device room know of each other. */
#ifndef STRATA_DEVICE_DEVICE_PRIV_H
#define STRATA_DEVICE_DEVICE_PRIV_H

#include <CL/cl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "device/buffer.h"
#include "device/choices.h"
#include "device/device.h"
#include "device/profile.h"

struct compilers;
struct joiner;
struct program_cache;

struct device {
    strata_device_info info; /* of the whole device */
    strata_device_class class;
    int units;        /* compute units of our part */
    cl_device_id id;  /* the whole device or a sub-device of it */
    cl_context context;
    cl_command_queue queues[2]; /* by enum queue_index */
    bool joined;                /* who waits inside of its runtime computes with it */
    struct joiner *joiner;      /* of the compute queue; NULL: its runtime needs none */
    cl_command_queue filler;    /* zeroes new buffers, whatever waits in the others; any thread */
    struct program_cache *programs;
    void (*drop)(void); /* strata_device_drop_with; NULL: nothing */
    json_t *choices; /* owned; NULL: none */
    bool choices_left_out, parameters_told;
    struct listener listener;
    struct profile *profile; /* NULL: nothing is timed */
    size_t most_items[3], most_group; /* limits of a work-group: along each axis, and in all */
    char text[300];
    struct compilers *compilers; /* NULL: none but the driver; used by the thread that records and plays */
    atomic_bool compiling;  /* the driver was seen to compile a program, rather than to find it in a cache */
    atomic_size_t taken, most_taken; /* bytes of buffers: now, and at most so far */
    atomic_int building;    /* how many threads build programs */
    atomic_bool awaiting;   /* other processes build for it */
    pthread_mutex_t lock;   /* of played; taken before that of a run */
    struct run *played;     /* the recording that was played last, or NULL */
};

struct buffer {
    struct device *device;
    cl_mem memory;
    size_t size;
    char *lent; /* the host's memory that it has its contents in; NULL: it has its own */
};

struct event {
    struct device *device;
    cl_event native;
};

/* An event object that takes over the reference; on failure it is released. NULL as `event` drops it. */
bool strata_event_take(struct device *device, cl_event native, struct event **event, strata_error *err);

/* Queues zeroes for `bytes` bytes at `offset`. */
cl_int strata_queue_zero(cl_command_queue queue, cl_mem memory, size_t offset, size_t bytes, cl_event *event);

/* The devices as strata_devices lists them, with their handles in the same order; both lists are the caller's. request: of the rank
 * that will take one of them, or NULL. */
bool strata_devices_find(const struct device_request *request, strata_device_info **list, cl_device_id **ids, size_t *count,
                         strata_error *err);
bool strata_device_is_pocl(const strata_device_info *info);

#endif
