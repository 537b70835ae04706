/* PNG by libpng, with the conversions that TensorFlow asks it for: 16 bits lose their lower 8, palettes become colours,
 * opacity is dropped or added. */
#include "data/picture_priv.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "base/memory.h"

enum { MOST_SIDE = 1 << 20, MOST_CHUNK = 1 << 26 };

struct decoder {
    png_structp png;
    png_infop info;
    const unsigned char *at;
    size_t left;
    char why[200];
    struct picture *picture;
    unsigned char **rows; /* owned */
    strata_error *err;
};

static void leave(png_structp png, png_const_charp why)
{
    struct decoder *d = png_get_error_ptr(png);
    snprintf(d->why, sizeof d->why, "%s", why);
    png_longjmp(png, 1);
}

static void overhear(png_structp png, png_const_charp why)
{
    (void)png;
    (void)why;
}

static void give(png_structp png, png_bytep to, size_t size)
{
    struct decoder *d = png_get_io_ptr(png);
    if (size > d->left) png_error(png, "it ends too early");
    memcpy(to, d->at, size);
    d->at += size;
    d->left -= size;
}

static void convert(struct decoder *d, size_t channels)
{
    const int type = png_get_color_type(d->png, d->info);
    const bool clear = png_get_valid(d->png, d->info, PNG_INFO_tRNS) != 0, opacity = (type & PNG_COLOR_MASK_ALPHA) != 0;
    png_set_strip_16(d->png);
    png_set_expand(d->png);
    if (channels < 4 && (opacity || clear)) png_set_strip_alpha(d->png);
    if (channels == 4 && !opacity && !clear) png_set_add_alpha(d->png, 255, PNG_FILLER_AFTER);
    if (channels == 1 && (type & PNG_COLOR_MASK_COLOR)) png_set_rgb_to_gray(d->png, PNG_ERROR_ACTION_NONE, 0.299, 0.587);
    if (channels > 1 && !(type & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(d->png);
    png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
}

static bool read_picture(struct decoder *d, size_t channels)
{
    png_read_info(d->png, d->info);
    const size_t height = png_get_image_height(d->png, d->info), width = png_get_image_width(d->png, d->info);
    convert(d, channels);
    if (!strata_picture_make(d->picture, height, width, channels, d->err)
        || !(d->rows = strata_alloc(height, sizeof *d->rows, d->err)))
        return false;
    if (png_get_rowbytes(d->png, d->info) != width * channels)
        return strata_fail(d->err, STRATA_EFILE, "its pixels have %zu bytes where %zu are expected",
                           (size_t)png_get_rowbytes(d->png, d->info) / width, channels);
    for (size_t y = 0; y < height; y++) d->rows[y] = d->picture->pixels + y * width * channels;
    png_read_image(d->png, d->rows);
    png_read_end(d->png, NULL);
    return true;
}

static bool open_decoder(struct decoder *d)
{
    d->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, d, leave, overhear);
    d->info = d->png ? png_create_info_struct(d->png) : NULL;
    if (!d->info) return strata_fail(d->err, STRATA_EMEMORY, "out of memory");
    png_set_read_fn(d->png, d, give);
    png_set_user_limits(d->png, MOST_SIDE, MOST_SIDE);
    png_set_chunk_malloc_max(d->png, MOST_CHUNK);
    png_set_crc_action(d->png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
    return true;
}

static bool decode(struct decoder *d, size_t channels)
{
    if (setjmp(png_jmpbuf(d->png)) != 0) return strata_fail(d->err, STRATA_EFILE, "damaged PNG: %s", d->why);
    return read_picture(d, channels);
}

bool strata_png_decode(const unsigned char *bytes, size_t size, size_t channels, struct picture *picture,
                       strata_error *err)
{
    struct decoder *d = strata_alloc(1, sizeof *d, err);
    if (!d) return false;
    *d = (struct decoder){ .at = bytes, .left = size, .picture = picture, .err = err };
    const bool ok = open_decoder(d) && decode(d, channels);
    png_destroy_read_struct(&d->png, &d->info, NULL);
    free(d->rows);
    free(d);
    return ok;
}
