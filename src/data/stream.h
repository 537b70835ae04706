/* Samples that are read as they are needed, of sources that are larger than memory or have to be decoded. */
#ifndef STRATA_DATA_STREAM_H
#define STRATA_DATA_STREAM_H

#include <pthread.h>

#include "data/dataset.h"

struct stream_class {
    /* Writes x of `count` samples, by their rows, to `out`. One call at a time. NULL where `all` is not. */
    bool (*read)(struct stream *stream, const uint32_t *rows, size_t count, void *out, strata_error *err);
    /* All rows, as soon as they are in memory, where they will be for good; NULL: they are damaged. One call at a time. May be NULL: they are
     * read as they are needed. */
    const void *(*all)(struct stream *stream, strata_error *err);
    void (*free)(struct stream *stream);
    /* Takes the shape (height, width, channels) of pictures for that of samples, where the source left it open; may be
     * NULL: there is no choice. */
    bool (*suit)(struct stream *stream, const size_t shape[3], struct column *x);
};

/* Every kind of stream begins with one. */
struct stream {
    const struct stream_class *class;
    pthread_mutex_t lock;  /* held during a read */
    size_t holders;
    uint64_t fingerprint;  /* equal when the samples are, as far as a glance tells */
    char **notes;          /* owned: what the user should hear, such as of pictures left out; NULL-terminated or NULL */
    char **classes;        /* owned: names of the labels 0, 1, ...; likewise */
};

/* Sets up what streams share, with one holder. */
void strata_stream_init(struct stream *stream, const struct stream_class *class);
/* Every dataset over a stream holds it; the last to let go frees it. Both take NULL. Not thread-safe. */
void strata_stream_hold(struct stream *stream);
void strata_stream_release(struct stream *stream);

/* Frees a NULL-terminated list of texts; takes NULL. */
void strata_texts_free(char **texts);

#endif
