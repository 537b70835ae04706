/* JPEG by libjpeg-turbo, with the fast cosine transform and smooth chroma, as in TensorFlow. */
#include "data/picture_priv.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>
#include <jerror.h>

#include "base/memory.h"

enum { MOST_SCANS = 500 }; /* a small file can have very many, each over the whole picture */

struct decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf out;
    char why[JMSG_LENGTH_MAX];
    struct picture *picture;
    unsigned char *row; /* owned: of four inks */
    strata_error *err;
};

static void leave(j_common_ptr jpeg)
{
    struct decoder *d = jpeg->client_data;
    jpeg->err->format_message(jpeg, d->why);
    longjmp(d->out, 1);
}

/* Warnings that mean lost pixels end it; harmless ones, such as of bytes between markers, do not. */
static void listen(j_common_ptr jpeg, int level)
{
    if (level >= 0) return;
    switch (jpeg->err->msg_code) {
    case JWRN_ARITH_BAD_CODE:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
    case JWRN_NOT_SEQUENTIAL: leave(jpeg);
    }
}

static void watch(j_common_ptr jpeg)
{
    struct decoder *d = jpeg->client_data;
    if (d->jpeg.input_scan_number <= MOST_SCANS) return;
    snprintf(d->why, sizeof d->why, "it has more than %d scans", MOST_SCANS);
    longjmp(d->out, 1);
}

static J_COLOR_SPACE space_of(size_t channels)
{
    return channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_EXT_RGBA;
}

static bool has_inks(const struct decoder *d)
{
    return d->jpeg.jpeg_color_space == JCS_CMYK || d->jpeg.jpeg_color_space == JCS_YCCK;
}

/* A row of cyan, magenta, yellow and black; Adobe's files have them inverted. */
static void mix_inks(const struct decoder *d, unsigned char *to)
{
    const size_t channels = d->picture->channels;
    for (size_t x = 0; x < d->picture->width; x++, to += channels) {
        unsigned char rgb[3];
        for (size_t i = 0; i < 3; i++) {
            const int ink = d->row[4 * x + i], black = d->row[4 * x + 3];
            rgb[i] = (unsigned char)(d->jpeg.saw_Adobe_marker ? black * ink / 255 : (255 - black) * (255 - ink) / 255);
        }
        if (channels == 1)
            to[0] = (unsigned char)((rgb[0] * 299 + rgb[1] * 587 + rgb[2] * 114 + 500) / 1000);
        for (size_t i = 0; channels > 1 && i < channels; i++) to[i] = i < 3 ? rgb[i] : 255;
    }
}

static bool begin(struct decoder *d, size_t channels)
{
    jpeg_read_header(&d->jpeg, TRUE);
    d->jpeg.out_color_space = has_inks(d) ? JCS_CMYK : space_of(channels);
    if (!strata_picture_make(d->picture, d->jpeg.image_height, d->jpeg.image_width, channels, d->err)
        || (has_inks(d) && !(d->row = strata_alloc(d->picture->width, 4, d->err))))
        return false;
    d->jpeg.dct_method = JDCT_IFAST;
    jpeg_start_decompress(&d->jpeg);
    return true;
}

static void read_rows(struct decoder *d)
{
    while (d->jpeg.output_scanline < d->jpeg.output_height) {
        unsigned char *to = d->picture->pixels
                            + (size_t)d->jpeg.output_scanline * d->picture->width * d->picture->channels;
        JSAMPROW row = d->row ? d->row : to;
        jpeg_read_scanlines(&d->jpeg, &row, 1);
        if (d->row) mix_inks(d, to);
    }
    jpeg_finish_decompress(&d->jpeg);
}

static bool decode(struct decoder *d, const unsigned char *bytes, size_t size, size_t channels)
{
    if (setjmp(d->out) != 0) return strata_fail(d->err, STRATA_EFILE, "damaged JPEG: %s", d->why);
    jpeg_create_decompress(&d->jpeg);
    d->progress.progress_monitor = watch;
    d->jpeg.progress = &d->progress;
    jpeg_mem_src(&d->jpeg, bytes, size);
    if (!begin(d, channels)) return false;
    read_rows(d);
    return true;
}

bool strata_jpeg_decode(const unsigned char *bytes, size_t size, size_t channels, struct picture *picture,
                        strata_error *err)
{
    struct decoder *d = strata_alloc(1, sizeof *d, err);
    if (!d) return false;
    d->picture = picture;
    d->err = err;
    d->jpeg.err = jpeg_std_error(&d->errors);
    d->errors.error_exit = leave;
    d->errors.emit_message = listen;
    d->jpeg.client_data = d;
    const bool ok = decode(d, bytes, size, channels);
    jpeg_destroy_decompress(&d->jpeg);
    free(d->row);
    free(d);
    return ok;
}
