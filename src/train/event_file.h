/* TensorBoard's event files: records of protocol buffers.
 * Source: tensorflow/core/lib/io/record_writer.h (framing, masked CRC-32C), tensorflow/core/util/event.proto and
 * framework/summary.proto (Event: 1 wall_time, 2 step, 3 file_version, 5 summary; Summary.Value: 1 tag, 2 simple_value). */
#ifndef STRATA_TRAIN_EVENT_FILE_H
#define STRATA_TRAIN_EVENT_FILE_H

#include <stdint.h>
#include <stddef.h>

#include "base/error.h"

/* CRC-32C (Castagnoli), as record_writer uses it, without its mask. */
uint32_t strata_crc32c(const void *bytes, size_t size);

/* Makes folder/events.out.tfevents.SECONDS.HOST.strata, the folder too, with the record that says the version; its path is
 * the caller's to free. */
char *strata_event_file_create(const char *folder, double seconds, const char *host, strata_error *err);

/* Appends a number under a tag. */
bool strata_event_file_add(const char *path, double seconds, int64_t step, const char *tag, float value,
                           strata_error *err);

#endif
