/* Images of another source with another size or other channels. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/picture.h"
#include "data/sources_priv.h"
#include "data/stream.h"

struct resized {
    struct stream stream;
    strata_data inner; /* x alone */
    struct image_shape from, to;
};

/* ---- one image --------------------------------------------------------------------------------------------------------- */

static void as_floats(const struct column *x, const void *image, float *out)
{
    const size_t count = strata_shape_count(&x->shape);
    for (size_t i = 0; i < count; i++)
        out[i] = x->type == STRATA_UINT8   ? ((const uint8_t *)image)[i]
                 : x->type == STRATA_INT32 ? (float)((const int32_t *)image)[i]
                 : x->type == STRATA_INT64 ? (float)((const int64_t *)image)[i]
                                           : ((const float *)image)[i];
}

/* Grey is what tf.image.rgb_to_grayscale makes of colours; opacity is dropped, or full (255). */
static void change_channels(size_t pixels, size_t from, size_t to, const float *image, float *out)
{
    for (size_t i = 0; i < pixels; i++, image += from, out += to) {
        if (to == 1 && from >= 3) out[0] = image[0] * 0.2989f + image[1] * 0.587f + image[2] * 0.114f;
        for (size_t c = 0; c < to && (to > 1 || from == 1); c++) out[c] = c == 3 ? 255 : image[from == 1 ? 0 : c];
        if (to == 4 && from == 4) out[3] = image[3];
    }
}

static bool read_rows(struct stream *stream, const uint32_t *rows, size_t count, void *out, strata_error *err)
{
    const struct resized *r = (const struct resized *)stream;
    const struct image_shape mixed = { r->from.height, r->from.width, r->to.channels };
    const size_t pixels = r->from.height * r->from.width, made = r->to.height * r->to.width * r->to.channels;
    const size_t each = strata_shape_count(&r->inner.x.shape);
    char *images = strata_alloc(count, each * strata_type_size(r->inner.x.type), err);
    float *image = images ? strata_alloc(each, sizeof *image, err) : NULL;
    float *other = image ? strata_alloc(pixels * mixed.channels, sizeof *other, err) : NULL;
    const bool ok = other && strata_data_read_x(&r->inner, rows, count, images, err);
    for (size_t i = 0; ok && i < count; i++) {
        as_floats(&r->inner.x, images + i * each * strata_type_size(r->inner.x.type), image);
        change_channels(pixels, r->from.channels, mixed.channels, image, other);
        strata_image_resize(&mixed, other, &r->to, (float *)out + i * made);
    }
    free(images);
    free(image);
    free(other);
    return ok;
}

static void free_resized(struct stream *stream)
{
    struct resized *r = (struct resized *)stream;
    free(r->inner.x.values);
    strata_stream_release(r->inner.stream);
    free(r);
}

static const struct stream_class resized_class = { .read = read_rows, .free = free_resized };

/* ---- opening ------------------------------------------------------------------------------------------------------------- */

bool strata_arrays_resize(struct arrays *arrays, const struct image_wish *wish, const char *source, strata_error *err)
{
    char text[STRATA_SHAPE_TEXT];
    struct column *x = &arrays->x.column;
    const size_t channels = x->shape.rank == 3 ? x->shape.dim[2] : 0;
    if (channels != 1 && channels != 3 && channels != 4)
        return strata_fail(err, STRATA_EJOB, "%s: resize and channels need images of 1, 3 or 4 channels; samples have shape "
                           "%s", source, strata_shape_text(&x->shape, "None", text));
    struct resized *r = strata_alloc(1, sizeof *r, err);
    if (!r) return false;
    strata_stream_init(&r->stream, &resized_class);
    r->from = (struct image_shape){ x->shape.dim[0], x->shape.dim[1], channels };
    r->to = (struct image_shape){ wish->height ? wish->height : r->from.height, wish->width ? wish->width : r->from.width,
                                  wish->channels ? wish->channels : channels };
    r->inner = (strata_data){ .count = arrays->x.count, .x = *x, .stream = arrays->stream };
    r->stream.fingerprint = strata_data_fingerprint(&r->inner);
    *x = (struct column){ .type = STRATA_FLOAT32, .shape = { 3, { r->to.height, r->to.width, r->to.channels } } };
    arrays->stream = &r->stream;
    return true;
}
