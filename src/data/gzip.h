/* Files that may be compressed by gzip (RFC 1952): in sequence, or whole while others do what does not need them yet. */
#ifndef STRATA_DATA_GZIP_H
#define STRATA_DATA_GZIP_H

#include <zlib.h>

#include "data/rows_priv.h"

/* A file in sequence; a plain one is read as it is. NULL on failure. To be closed by gzclose_r. */
gzFile strata_gzip_open(const char *path, strata_error *err);
/* Fails unless all `size` bytes come. */
bool strata_gzip_read(gzFile file, const char *path, void *bytes, size_t size, strata_error *err);
/* `size` bytes, the last of the file. Memory grows with what the file really holds, so that a damaged header cannot ask for all there is. */
bool strata_gzip_read_last(gzFile file, const char *path, size_t size, struct sink *sink, strata_error *err);

/* A stream of rows that a thread of its own unpacks into memory from now on: `size` bytes of a file, the last, behind the first `from`. Who
 * wants them waits until all are there, and hears what is wrong with the file. NULL on failure. */
struct stream *strata_gzip_unpack(const char *path, size_t from, size_t size, strata_error *err);
/* What such a stream unpacked, to be freed; ends the stream, also when it fails. */
void *strata_gzip_take(struct stream *stream, strata_error *err);

#endif
