#include "data/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "data/sources_priv.h"
#include "data/stream.h"

size_t strata_type_size(strata_type type)
{
    switch (type) {
    case STRATA_UINT8: return 1;
    case STRATA_INT64: return 8;
    case STRATA_FLOAT32:
    case STRATA_INT32: break;
    }
    return 4;
}

static size_t sample_bytes(const struct column *column)
{
    return strata_shape_count(&column->shape) * strata_type_size(column->type);
}

/* ---- from arrays ----------------------------------------------------------------------------------------------- */

void strata_arrays_free(struct arrays *arrays)
{
    free(arrays->x.column.values);
    free(arrays->y.column.values);
    free(arrays->sample_weight.column.values);
    strata_stream_release(arrays->stream);
    *arrays = (struct arrays){ .scale = 1 };
}

struct rows *strata_arrays_get(struct arrays *arrays, int which)
{
    struct rows *const rows[ARRAY_COUNT] = { &arrays->x, &arrays->y, &arrays->sample_weight };
    return rows[which];
}

/* Element i of a column as a number. */
static double number(const struct column *column, size_t i)
{
    switch (column->type) {
    case STRATA_FLOAT32: return ((const float *)column->values)[i];
    case STRATA_UINT8: return ((const uint8_t *)column->values)[i];
    case STRATA_INT32: return ((const int32_t *)column->values)[i];
    case STRATA_INT64: break;
    }
    return (double)((const int64_t *)column->values)[i];
}

/* In place: an int32 is written no later than the int64 of the same index is read. */
static bool narrow(struct rows *x, const char *name, strata_error *err)
{
    const size_t each = strata_shape_count(&x->column.shape), total = x->count * each;
    char *const values = x->column.values;
    for (size_t i = 0; i < total; i++) {
        int64_t wide;
        memcpy(&wide, values + i * sizeof wide, sizeof wide);
        if (wide < INT32_MIN || wide > INT32_MAX)
            return strata_fail(err, STRATA_EFILE, "%s: x of sample %zu is %lld; integers must fit 32 bits", name,
                               i / each, (long long)wide);
        const int32_t narrowed = (int32_t)wide;
        memcpy(values + i * sizeof narrowed, &narrowed, sizeof narrowed);
    }
    x->column.type = STRATA_INT32;
    return true;
}

static bool weights_as_floats(struct rows *weight, const char *name, strata_error *err)
{
    char text[STRATA_SHAPE_TEXT];
    struct column *column = &weight->column;
    if (strata_shape_count(&column->shape) != 1)
        return strata_fail(err, STRATA_ESHAPE, "%s: sample_weight has shape %s; it must be one number a sample", name,
                           strata_shape_text(&column->shape, "n", text));
    float *floats = strata_alloc(weight->count, sizeof *floats, err);
    if (!floats)
        return false;
    for (size_t i = 0; i < weight->count; i++)
        floats[i] = (float)number(column, i);
    free(column->values);
    *column = (struct column){ .type = STRATA_FLOAT32, .values = floats };
    return true;
}

static bool counts_agree(const struct arrays *arrays, const char *name, strata_error *err)
{
    const struct rows *x = &arrays->x, *y = &arrays->y, *weight = &arrays->sample_weight;
    if (y->column.values && y->count != x->count)
        return strata_fail(err, STRATA_ESHAPE, "%s: x has %zu samples and y has %zu; they must be as many", name,
                           x->count, y->count);
    if (weight->column.values && weight->count != x->count)
        return strata_fail(err, STRATA_ESHAPE, "%s: x has %zu samples and sample_weight has %zu; they must be as many",
                           name, x->count, weight->count);
    if (x->count > UINT32_MAX)
        return strata_fail(err, STRATA_ESHAPE, "%s: %zu samples are more than the 4294967295 that a dataset can have",
                           name, x->count);
    return true;
}

strata_data *strata_data_adopt(struct arrays *arrays, const char *name, strata_error *err)
{
    strata_data *data = NULL;
    if (!arrays->x.column.values && !arrays->stream)
        strata_fail(err, STRATA_ESHAPE, "%s: there is no x", name);
    else if (counts_agree(arrays, name, err)
             && (arrays->stream || arrays->x.column.type != STRATA_INT64 || narrow(&arrays->x, name, err))
             && (!arrays->sample_weight.column.values || weights_as_floats(&arrays->sample_weight, name, err)))
        data = strata_alloc(1, sizeof *data, err);
    if (data && !(data->name = strata_copy_text(name, err))) {
        free(data);
        data = NULL;
    }
    if (data) {
        data->count = arrays->x.count;
        data->x = arrays->x.column;
        data->y = arrays->y.column;
        data->sample_weight = arrays->sample_weight.column;
        data->scale = arrays->scale;
        data->stream = arrays->stream;
        data->first = arrays->first;
        *arrays = (struct arrays){ .scale = 1 };
    }
    strata_arrays_free(arrays);
    return data;
}

bool strata_rows_shape(struct rows *rows, int rank, const uint64_t *dim, size_t size, size_t *bytes, const char *what,
                       strata_error *err)
{
    if (rank < 1 || rank > STRATA_MAX_RANK)
        return strata_fail(err, STRATA_EFILE, "%s: it has %d axes; an array of samples has 1 to %d", what, rank,
                           STRATA_MAX_RANK);
    *bytes = size;
    rows->column.shape = (struct shape){ .rank = rank - 1 };
    for (int i = 0; i < rank; i++) {
        if (dim[i] > (uint64_t)PTRDIFF_MAX || (dim[i] > 0 && *bytes > (size_t)PTRDIFF_MAX / (size_t)dim[i]))
            return strata_fail(err, STRATA_EFILE, "%s: its extents are too large for this machine's memory", what);
        if (i > 0 && dim[i] == 0)
            return strata_fail(err, STRATA_EFILE, "%s: axis %d has extent 0; a sample must hold something", what, i);
        *bytes *= (size_t)dim[i];
        if (i > 0)
            rows->column.shape.dim[i - 1] = (size_t)dim[i];
    }
    rows->count = (size_t)dim[0];
    return true;
}

static bool copy_array(struct rows *rows, const strata_array *array, const char *what, strata_error *err)
{
    if (!array || !array->values)
        return true;
    uint64_t dim[STRATA_MAX_RANK];
    size_t bytes;
    for (int i = 0; i < array->rank && i < STRATA_MAX_RANK; i++)
        dim[i] = array->dim[i];
    if (!strata_rows_shape(rows, array->rank, dim, strata_type_size(array->type), &bytes, what, err)) {
        err->code = STRATA_ESHAPE;
        return false;
    }
    rows->column.type = array->type;
    rows->column.values = strata_alloc(bytes, 1, err);
    if (rows->column.values)
        memcpy(rows->column.values, array->values, bytes);
    return rows->column.values != NULL;
}

strata_data *strata_data_from_arrays(const strata_array *x, const strata_array *y, const strata_array *sample_weight,
                                     strata_error *err)
{
    struct arrays arrays = { .scale = 1 };
    if (copy_array(&arrays.x, x, "x", err) && copy_array(&arrays.y, y, "y", err)
        && copy_array(&arrays.sample_weight, sample_weight, "sample_weight", err))
        return strata_data_adopt(&arrays, "arrays", err);
    strata_arrays_free(&arrays);
    return NULL;
}

void strata_data_free(strata_data *data)
{
    if (!data)
        return;
    free(data->x.values);
    free(data->y.values);
    free(data->sample_weight.values);
    strata_stream_release(data->stream);
    json_decref(data->augment);
    free(data->name);
    free(data);
}

/* ---- what it holds --------------------------------------------------------------------------------------------- */

static strata_array array_of(const strata_data *data, const struct column *column)
{
    strata_array array = { .type = column->type, .values = column->values };
    if (!column->values && column != &data->x)
        return array;
    array.rank = column->shape.rank + 1;
    array.dim[0] = data->count;
    for (int i = 0; i < column->shape.rank; i++)
        array.dim[i + 1] = column->shape.dim[i];
    return array;
}

size_t strata_data_count(const strata_data *data)
{
    return data->count;
}

strata_array strata_data_x(const strata_data *data)
{
    return array_of(data, &data->x);
}

strata_array strata_data_y(const strata_data *data)
{
    return array_of(data, &data->y);
}

strata_array strata_data_sample_weight(const strata_data *data)
{
    return array_of(data, &data->sample_weight);
}

float strata_data_scale(const strata_data *data)
{
    return data->scale;
}

const char *strata_data_name(const strata_data *data)
{
    return data->name;
}

/* ---- split ----------------------------------------------------------------------------------------------------- */

static bool copy_rows(const struct column *from, size_t first, size_t count, struct rows *to, strata_error *err)
{
    const size_t each = sample_bytes(from);
    *to = (struct rows){ count, *from };
    if (!from->values)
        return true;
    to->column.values = strata_alloc(count, each, err);
    if (to->column.values)
        memcpy(to->column.values, (const char *)from->values + first * each, count * each);
    return to->column.values != NULL;
}

static strata_data *copy_part(const strata_data *data, size_t first, size_t count, strata_error *err)
{
    struct arrays arrays = { .scale = data->scale, .stream = data->stream, .first = data->first + first };
    strata_stream_hold(data->stream);
    if (copy_rows(&data->x, first, count, &arrays.x, err) && copy_rows(&data->y, first, count, &arrays.y, err)
        && copy_rows(&data->sample_weight, first, count, &arrays.sample_weight, err)) {
        strata_data *part = strata_data_adopt(&arrays, data->name, err);
        if (part) part->augment = json_incref(data->augment);
        return part;
    }
    strata_arrays_free(&arrays);
    return NULL;
}

bool strata_data_split(const strata_data *data, double fraction, strata_data **head, strata_data **tail,
                       strata_error *err)
{
    *head = *tail = NULL;
    if (!(fraction > 0 && fraction < 1))
        return strata_fail(err, STRATA_EVALUE, "validation_split is %g; it must be between 0 and 1", fraction);
    const size_t cut = (size_t)floor((double)data->count * (1.0 - fraction));
    if (cut == 0 || cut == data->count)
        return strata_fail(err, STRATA_EVALUE, "validation_split %g of %zu samples leaves %zu to train on and %zu to "
                           "validate on; both need at least one", fraction, data->count, cut, data->count - cut);
    *head = copy_part(data, 0, cut, err);
    *tail = *head ? copy_part(data, cut, data->count - cut, err) : NULL;
    if (*tail)
        return true;
    strata_data_free(*head);
    *head = NULL;
    return false;
}

/* ---- fingerprint ----------------------------------------------------------------------------------------------- */

static uint64_t hash_column(uint64_t hash, const struct column *column, const void *values, size_t count)
{
    const struct shape *shape = &column->shape;
    const uint64_t head[] = { values != NULL, (uint64_t)column->type, (uint64_t)shape->rank };
    hash = XXH3_64bits_withSeed(head, sizeof head, hash);
    hash = XXH3_64bits_withSeed(shape->dim, (size_t)shape->rank * sizeof *shape->dim, hash);
    return values ? XXH3_64bits_withSeed(values, count * sample_bytes(column), hash) : hash;
}

uint64_t strata_data_fingerprint(const strata_data *data)
{
    uint64_t hash = XXH3_64bits_withSeed(&data->scale, sizeof data->scale, data->count);
    strata_error ignored = { 0 };
    const void *values = NULL;
    (void)strata_data_await(data, &values, &ignored);
    hash = hash_column(hash, &data->x, values, data->count);
    if (data->augment) {
        char *text = json_dumps(data->augment, JSON_COMPACT);
        hash = XXH3_64bits_withSeed(text ? text : "", text ? strlen(text) : 0, hash);
        free(text);
    }
    if (data->stream && !values) {
        const uint64_t of[] = { data->stream->fingerprint, data->first };
        hash = XXH3_64bits_withSeed(of, sizeof of, hash);
    }
    hash = hash_column(hash, &data->y, data->y.values, data->count);
    return hash_column(hash, &data->sample_weight, data->sample_weight.values, data->count);
}
