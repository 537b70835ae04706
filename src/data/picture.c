#include "data/picture_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"

enum { MOST_PIXELS = 1 << 28, MOST_BYTES = 1 << 30 };

bool strata_picture_make(struct picture *picture, size_t height, size_t width, size_t channels, strata_error *err)
{
    if (height == 0 || width == 0 || height > MOST_PIXELS / width)
        return strata_fail(err, STRATA_EFILE, "it claims %zu x %zu pixels; a picture has at most %d", width, height,
                           MOST_PIXELS);
    *picture = (struct picture){ height, width, channels, NULL };
    picture->pixels = strata_alloc(height * width, channels, err);
    return picture->pixels != NULL;
}

void strata_picture_free(struct picture *picture)
{
    free(picture->pixels);
    *picture = (struct picture){ 0 };
}

bool strata_picture_decode(const void *bytes, size_t size, size_t channels, struct picture *picture, strata_error *err)
{
    *picture = (struct picture){ 0 };
    bool ok;
    if (size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0)
        ok = strata_jpeg_decode(bytes, size, channels, picture, err);
    else if (size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
        ok = strata_png_decode(bytes, size, channels, picture, err);
    else
        ok = strata_fail(err, STRATA_EFILE, size == 0 ? "it is empty" : "it is neither a JPEG nor a PNG");
    if (!ok) strata_picture_free(picture);
    return ok;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static bool read_bytes(int file, unsigned char *bytes, size_t size, strata_error *err)
{
    for (size_t done = 0; done < size;) {
        const ssize_t got = strata_file_fault() ? -1 : read(file, bytes + done, size - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return strata_fail_native(err, STRATA_EFILE, errno, "it cannot be read: %s", strerror(errno));
        if (got == 0) return strata_fail(err, STRATA_EFILE, "it became shorter while it was read");
        done += (size_t)got;
    }
    return true;
}

static bool read_open(int file, size_t channels, struct picture *picture, strata_error *err)
{
    struct stat there;
    if (fstat(file, &there) != 0 || !S_ISREG(there.st_mode)) return strata_fail(err, STRATA_EFILE, "it is no regular file");
    if (there.st_size > MOST_BYTES)
        return strata_fail(err, STRATA_EFILE, "it has %lld bytes; a picture has at most %d", (long long)there.st_size,
                           MOST_BYTES);
    const size_t size = (size_t)there.st_size;
    unsigned char *bytes = strata_alloc(size, 1, err);
    const bool ok = bytes && read_bytes(file, bytes, size, err)
                    && strata_picture_decode(bytes, size, channels, picture, err);
    free(bytes);
    return ok;
}

bool strata_picture_read(const char *path, size_t channels, struct picture *picture, strata_error *err)
{
    *picture = (struct picture){ 0 };
    const int file = strata_file_fault() ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe of that name must not keep us waiting */
    if (file < 0) return strata_fail_native(err, STRATA_EFILE, errno, "it cannot be opened: %s", strerror(errno));
    const bool ok = read_open(file, channels, picture, err);
    close(file);
    return ok;
}

/* ---- size --------------------------------------------------------------------------------------------------------- */

/* Between which two cells a place lies, and how far from the first. */
struct between {
    size_t low, high;
    float part;
};

static struct between between(size_t i, size_t from, size_t to)
{
    const float at = ((float)i + 0.5f) * ((float)from / (float)to) - 0.5f, floor = floorf(at);
    const size_t last = from - 1;
    return (struct between){ floor > 0 ? (size_t)floor : 0, ceilf(at) < (float)last ? (size_t)ceilf(at) : last,
                             at - floor };
}

static void resize_row(const float *top, const float *bottom, float down, size_t from, size_t to, size_t channels,
                       float *out)
{
    for (size_t x = 0; x < to; x++) {
        const struct between b = between(x, from, to);
        for (size_t c = 0; c < channels; c++) {
            const float tl = top[b.low * channels + c], tr = top[b.high * channels + c];
            const float bl = bottom[b.low * channels + c], br = bottom[b.high * channels + c];
            const float upper = tl + (tr - tl) * b.part, lower = bl + (br - bl) * b.part;
            *out++ = upper + (lower - upper) * down;
        }
    }
}

void strata_image_resize(const struct image_shape *from, const float *image, const struct image_shape *to, float *out)
{
    const size_t row = from->width * from->channels;
    for (size_t y = 0; y < to->height; y++) {
        const struct between b = between(y, from->height, to->height);
        resize_row(image + b.low * row, image + b.high * row, b.part, from->width, to->width, from->channels,
                   out + y * to->width * to->channels);
    }
}
