/* Kernels by name, and lists of launches that are recorded once and played many times.
 *
 * A run is where ops put their work. An immediate run queues each launch at once. A recording run keeps the launches,
 * each with a kernel object of its own whose arguments are set once; playing it only queues them. A measuring run
 * executes nothing and only finds out how much scratch memory is needed. */
#ifndef STRATA_DEVICE_LAUNCH_H
#define STRATA_DEVICE_LAUNCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "device/buffer.h"
#include "device/device.h"

struct run;

enum arg_type { ARG_END, ARG_PLACE, ARG_BUFFER, ARG_FLOAT, ARG_INT, ARG_UINT, ARG_ULONG };

/* One argument. ARG_PLACE is a tensor's place and becomes two kernel arguments: the buffer (global float *, or what
 * the kernel says) and the offset in elements (ulong). A NULL buffer is passed as a null pointer. */
struct arg {
    enum arg_type type;
    const struct buffer *buffer;
    uint64_t offset;
    size_t element; /* bytes of one, of a place; for profiles alone */
    union {
        float f;
        int32_t i;
        uint32_t u;
        uint64_t ul;
    };
};

static inline struct arg arg_place(const struct buffer *buffer, size_t offset)
{
    return (struct arg){ .type = ARG_PLACE, .buffer = buffer, .offset = offset, .element = sizeof(float) };
}
static inline struct arg arg_buffer(const struct buffer *buffer)
{
    return (struct arg){ .type = ARG_BUFFER, .buffer = buffer };
}
static inline struct arg arg_float(double f) { return (struct arg){ .type = ARG_FLOAT, .f = (float)f }; }
static inline struct arg arg_int(int32_t i) { return (struct arg){ .type = ARG_INT, .i = i }; }
static inline struct arg arg_uint(uint32_t u) { return (struct arg){ .type = ARG_UINT, .u = u }; }
static inline struct arg arg_ulong(uint64_t ul) { return (struct arg){ .type = ARG_ULONG, .ul = ul }; }

struct launch {
    const char *kernel;     /* "file:function" of cl/file.cl */
    const char *options;    /* "-DKH=3 -DKW=3"; NULL: none. Programs are cached on (file, options) */
    const struct arg *args; /* ends in { 0 } */
    int dims;               /* 1 to 3 */
    size_t global[3];       /* work-items; rounded up to whole groups, so kernels check their bounds */
    size_t local[3];        /* 0: chosen by class and range: CPU 1, 16 or 256 items a group, GPU 64 or 256 (groups.c) */
    double bytes;           /* that it has to read and write, for profiles; 0: not known */
};

bool strata_launch(struct run *run, const struct launch *launch, strata_error *err);

/* Work that is not a kernel of ours, such as a CLBlast call: `call` gets a copy of the `size` bytes at `context` each
 * time the run is played; the queue is a cl_command_queue. */
bool strata_run_call(struct run *run, bool (*call)(const void *context, void *queue, strata_error *err),
                     const void *context, size_t size, strata_error *err);

/* Makes the calls of a recording that are of this function, in its order, with NULL for the queue, and plays nothing else. */
bool strata_run_calls(struct run *run, bool (*call)(const void *context, void *queue, strata_error *err),
                      strata_error *err);

/* Queued copies and fills as part of a run; offsets and sizes in bytes. */
bool strata_run_copy(struct run *run, const struct buffer *from, size_t from_offset, struct buffer *to,
                     size_t to_offset, size_t bytes, strata_error *err);
bool strata_run_zero(struct run *run, struct buffer *buffer, size_t offset, size_t bytes, strata_error *err);

/* Memory that an op uses between its own launches only; the next op gets the same memory again. Several pieces of
 * one op are taken in one call and cut by the op. Never NULL when true is returned. */
bool strata_run_scratch(struct run *run, size_t bytes, struct buffer **scratch, strata_error *err);

/* Memory whose contents stay from play to play, for what launches make once: of a recording, its own; a measuring run counts it; an
 * immediate run keeps nothing. */
bool strata_run_keeps(const struct run *run);
bool strata_run_keep(struct run *run, size_t bytes, struct buffer **kept, strata_error *err);
size_t strata_run_kept_bytes(const struct run *run);

/* Whether launches that follow make what stays as it is: they are part of the first play, and of one before which the number at
 * `version` changed; NULL: of the first alone. Other launches of their label follow. */
void strata_run_once(struct run *run, bool once);
void strata_run_watch(struct run *run, const uint64_t *version);

struct device *strata_run_device(const struct run *run);

/* Whether ops leave out implementations that round more than the sum they stand for (Winograd's); false at first. */
void strata_run_set_strict(struct run *run, bool strict);
bool strata_run_strict(const struct run *run);
/* Whether ops leave out what measuring found for a shape, which makes of a sample other bits where there are more; false at first. */
void strata_run_set_untuned(struct run *run, bool untuned);
bool strata_run_untuned(const struct run *run);

/* What the launches that follow belong to ("conv2d_1 forward"), for profiles and messages. */
void strata_run_label(struct run *run, const char *label);

/* Which operation the launches that follow are, until the next call, for profiles: how it is done, how many
 * multiplications and additions it is by its definition, and how many bytes it has to read and write; 0: not known. The texts
 * stay as long as the run. { 0 }: each launch is an operation of its own. */
struct work {
    const char *operation, *implementation;
    double flops, bytes;
    bool tuned; /* the implementation was chosen by measuring */
};
void strata_run_work(struct run *run, struct work work);

/* Tells the device's listener of an op; a run that does not measure tells nobody. */
void strata_run_tell(struct run *run, const void *request);

/* Runs. The immediate run of a device owns its scratch buffer; a recording's scratch is fixed by `scratch_bytes`,
 * which the measuring run of the same ops reports. */
struct run *strata_run_immediate(struct device *device, enum queue_index queue, strata_error *err);
struct run *strata_run_measure(struct device *device, strata_error *err);
/* A measuring run of what an immediate one will do: where kernels are compiled by processes, these are among them. */
struct run *strata_run_rehearse(struct device *device, strata_error *err);
struct run *strata_run_record(struct device *device, size_t scratch_bytes, strata_error *err);
/* Its scratch is a buffer that other recordings may use too, when none of them plays at the same time; borrowed. */
struct run *strata_run_record_in(struct device *device, struct buffer *scratch, strata_error *err);
size_t strata_run_scratch_bytes(const struct run *run);
void strata_run_free(struct run *run); /* takes NULL; waits for nothing */

/* A place in a recording, numbered from 0: when played, everything before it signals the mark's event. */
bool strata_run_mark(struct run *run, int *mark, strata_error *err);

/* Queues a recording on the compute queue and flushes. Waits for nothing. */
bool strata_run_play(struct run *run, strata_error *err);

/* The event of a mark in the latest play; the caller frees it. For a thread other than the playing one too, after
 * the play has returned. */
bool strata_run_mark_event(struct run *run, int mark, struct event **event, strata_error *err);

#endif
