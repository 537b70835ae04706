#include "data/stream.h"

#include <stdlib.h>

void strata_texts_free(char **texts)
{
    for (size_t i = 0; texts && texts[i]; i++) free(texts[i]);
    free(texts);
}

void strata_stream_init(struct stream *stream, const struct stream_class *class)
{
    *stream = (struct stream){ .class = class, .holders = 1 };
    pthread_mutex_init(&stream->lock, NULL);
}

void strata_stream_hold(struct stream *stream)
{
    if (stream) stream->holders++;
}

void strata_stream_release(struct stream *stream)
{
    if (!stream || --stream->holders > 0) return;
    pthread_mutex_destroy(&stream->lock);
    strata_texts_free(stream->notes);
    strata_texts_free(stream->classes);
    stream->class->free(stream);
}
