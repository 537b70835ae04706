#include "data/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

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

/* ---- reading x --------------------------------------------------------------------------------------------------- */

static bool read_stream(const strata_data *data, const uint32_t *samples, size_t count, void *out, strata_error *err)
{
    uint32_t *rows = strata_alloc(count, sizeof *rows, err);
    if (!rows) return false;
    for (size_t i = 0; i < count; i++) rows[i] = (uint32_t)(data->first + samples[i]);
    pthread_mutex_lock(&data->stream->lock);
    const bool ok = data->stream->class->read(data->stream, rows, count, out, err);
    pthread_mutex_unlock(&data->stream->lock);
    free(rows);
    return ok;
}

static const void *all_of(struct stream *stream, strata_error *err)
{
    pthread_mutex_lock(&stream->lock);
    const void *all = stream->class->all(stream, err);
    pthread_mutex_unlock(&stream->lock);
    return all;
}

bool strata_data_await(const strata_data *data, const void **x, strata_error *err)
{
    const bool comes = data->stream && data->stream->class->all;
    const size_t each = strata_shape_count(&data->x.shape) * strata_type_size(data->x.type);
    const char *all = comes ? all_of(data->stream, err) : NULL;
    *x = all ? all + data->first * each : data->x.values;
    return all || !comes;
}

bool strata_data_read_x(const strata_data *data, const uint32_t *samples, size_t count, void *out, strata_error *err)
{
    const size_t each = strata_shape_count(&data->x.shape) * strata_type_size(data->x.type);
    const void *x;
    if (!strata_data_await(data, &x, err)) return false;
    if (!x) return read_stream(data, samples, count, out, err);
    for (size_t i = 0; i < count; i++) memcpy((char *)out + i * each, (const char *)x + samples[i] * each, each);
    return true;
}

bool strata_data_read(const strata_data *data, size_t first, size_t count, void *x, strata_error *err)
{
    if (first > data->count || count > data->count - first)
        return strata_fail(err, STRATA_EVALUE, "%s: samples %zu to %zu were asked for; it has %zu", data->name, first,
                           first + count, data->count);
    uint32_t *samples = strata_alloc(count, sizeof *samples, err);
    for (size_t i = 0; samples && i < count; i++) samples[i] = (uint32_t)(first + i);
    const bool ok = samples && strata_data_read_x(data, samples, count, x, err);
    free(samples);
    return ok;
}

/* ---- what streams know --------------------------------------------------------------------------------------------- */

void strata_data_suit(strata_data *data, const size_t *shape, int rank)
{
    for (int i = 0; i < rank; i++)
        if (shape[i] == 0) return; /* any extent is right */
    if (data->stream && data->stream->class->suit && rank == 3 && data->stream->holders == 1)
        data->stream->class->suit(data->stream, shape, &data->x);
}

static const char *text_at(char *const *texts, size_t index)
{
    size_t i = 0;
    while (texts && texts[i] && i < index) i++;
    return texts ? texts[i] : NULL;
}

const char *strata_data_note(const strata_data *data, size_t index)
{
    return data->stream ? text_at(data->stream->notes, index) : NULL;
}

const char *strata_data_class_name(const strata_data *data, size_t index)
{
    return data->stream ? text_at(data->stream->classes, index) : NULL;
}
