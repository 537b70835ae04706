/* Memory on a device. A failure names the bytes asked for and the device. */
#ifndef STRATA_DEVICE_BUFFER_H
#define STRATA_DEVICE_BUFFER_H

#include <stddef.h>

#include "base/error.h"

struct device;
struct buffer;

/* bytes > 0; contents are zero. */
struct buffer *strata_buffer_create(struct device *device, size_t bytes, strata_error *err);
/* What stands for a buffer in runs that only measure: it has a size, and no memory. */
struct buffer *strata_buffer_placeholder(struct device *device, size_t bytes, strata_error *err);
void strata_buffer_free(struct buffer *buffer); /* takes NULL */
enum { STRATA_LEND_ALIGNMENT = 4096 }; /* bytes, a page: what devices that share the host's memory want at most */

/* Where the device computes in the host's memory, the buffer gives up its own and has its contents in `host` from now on, as many
 * bytes, zeroes first, which the caller keeps until it takes them back; *lent says whether; not where `host` is not aligned so. Before anything is recorded with the
 * buffer; what was queued with it must be over. */
bool strata_buffer_lend(struct buffer *buffer, void *host, bool *lent, strata_error *err);
/* Leaves the buffer without memory, fit to be freed. Commands that use it must be over. */
void strata_buffer_take_back(struct buffer *buffer);
size_t strata_buffer_size(const struct buffer *buffer);
size_t strata_buffers_most(const struct device *device); /* bytes that all buffers of the device together took at most */

/* The queues of a device: work is queued on the first; the second is for copies and updates that the communication
 * thread makes meanwhile. Both are in order; use each from one thread at a time. */
enum queue_index { QUEUE_COMPUTE, QUEUE_COPY };

/* Blocking copies between host and device memory, of `bytes` at byte `offset`, through a queue. */
bool strata_buffer_read(struct device *device, enum queue_index queue, const struct buffer *buffer, size_t offset,
                        size_t bytes, void *host, strata_error *err);
bool strata_buffer_write(struct device *device, enum queue_index queue, struct buffer *buffer, size_t offset,
                         size_t bytes, const void *host, strata_error *err);

/* The same without waiting: host must stay as it is until *event (may be NULL) is complete. */
struct doorbell;
struct event;
bool strata_buffer_read_async(struct device *device, enum queue_index queue, const struct buffer *buffer,
                              size_t offset, size_t bytes, void *host, struct event **event, strata_error *err);
bool strata_buffer_write_async(struct device *device, enum queue_index queue, struct buffer *buffer, size_t offset,
                               size_t bytes, const void *host, struct event **event, strata_error *err);
bool strata_buffer_copy(struct device *device, enum queue_index queue, const struct buffer *from, size_t from_offset,
                        struct buffer *to, size_t to_offset, size_t bytes, strata_error *err);
bool strata_buffer_zero(struct device *device, enum queue_index queue, struct buffer *buffer, size_t offset,
                        size_t bytes, strata_error *err);

/* Bytes of a lent buffer are the host's, to read and to write at their place in its memory, from *event (may be NULL) on until
 * they are unmapped; the device reads and writes others meanwhile. */
bool strata_buffer_map_async(struct device *device, enum queue_index queue, struct buffer *buffer, size_t offset, size_t bytes,
                             struct event **event, strata_error *err);
bool strata_buffer_unmap(struct device *device, enum queue_index queue, struct buffer *buffer, size_t offset, strata_error *err);

/* An event is what was queued before it. */
bool strata_event_mark(struct device *device, enum queue_index queue, struct event **event, strata_error *err);
bool strata_event_done(struct event *event, bool *done, strata_error *err); /* polls; a failed command is an error */
bool strata_event_wait(struct event *event, strata_error *err);
/* Rings as soon as the event is over, done or failed. */
bool strata_event_ring(struct event *event, struct doorbell *bell, strata_error *err);
void strata_event_free(struct event *event); /* takes NULL */
bool strata_queue_flush(struct device *device, enum queue_index queue, strata_error *err);

#endif
