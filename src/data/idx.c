/* IDX, the format of MNIST: two zero bytes, a type byte (8: unsigned bytes), the number of axes, each extent as a
 * big-endian 32-bit number, then the values. Source: http://yann.lecun.com/exdb/mnist. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "data/gzip.h"

enum { IDX_UBYTE = 8 };

/* Bytes before the values of an array of so many axes. */
static size_t header_bytes(int axes)
{
    return 4 + 4 * (size_t)axes;
}

static bool read_header(gzFile file, const char *path, const char *what, int low, int high, struct rows *rows,
                        size_t *bytes, strata_error *err)
{
    unsigned char magic[4], extent[4];
    uint64_t dim[4];
    if (!strata_gzip_read(file, path, magic, sizeof magic, err))
        return false;
    if (magic[0] != 0 || magic[1] != 0)
        return strata_fail(err, STRATA_EFILE, "%s: not an IDX file: it begins with %02x %02x %02x %02x", path, magic[0],
                           magic[1], magic[2], magic[3]);
    if (magic[2] != IDX_UBYTE || magic[3] < low || magic[3] > high)
        return strata_fail(err, STRATA_EFILE, "%s: an IDX file of type %02x with %d axes; %s have type 08 and %d", path,
                           magic[2], magic[3], what, low);
    for (int i = 0; i < magic[3]; i++) {
        if (!strata_gzip_read(file, path, extent, sizeof extent, err))
            return false;
        dim[i] = (uint32_t)extent[0] << 24 | (uint32_t)extent[1] << 16 | (uint32_t)extent[2] << 8 | extent[3];
    }
    rows->column.type = STRATA_UINT8;
    return strata_rows_shape(rows, magic[3], dim, 1, bytes, path, err);
}

static bool read_labels(gzFile file, const char *path, size_t bytes, struct rows *rows, strata_error *err)
{
    struct arrays labels = { 0 };
    struct sink sink = { .what = path, .limit = SIZE_MAX, .file = -1 };
    labels.x = *rows;
    const bool ok = strata_gzip_read_last(file, path, bytes, &sink, err) && strata_sink_finish(&sink, &labels, err);
    strata_sink_free(&sink);
    *rows = labels.x;
    return ok;
}

/* A plain file of many images is read as they are needed; one compressed has to be unpacked. */
static bool open_in_place(gzFile file, const char *path, size_t bytes, struct arrays *arrays, bool *opened,
                          strata_error *err)
{
    static const struct number byte = { NUMBER_UNSIGNED, 1, false };
    struct stat there;
    const uint64_t from = header_bytes(1 + arrays->x.column.shape.rank);
    *opened = false;
    if (!gzdirect(file) || bytes <= arrays->memory) return true;
    const int plain = open(path, O_RDONLY | O_CLOEXEC);
    if (plain < 0 || fstat(plain, &there) != 0 || !S_ISREG(there.st_mode) || (uint64_t)there.st_size != from + bytes) {
        if (plain >= 0) close(plain);
        return true; /* read in sequence, it says what is wrong */
    }
    *opened = true;
    return strata_arrays_take_x(arrays,
                                strata_flat_open(plain, from, &byte, strata_shape_count(&arrays->x.column.shape),
                                                 STRATA_UINT8, path, err), err);
}

/* One compressed that memory may hold is unpacked meanwhile. */
static bool unpack(const char *path, size_t bytes, struct arrays *arrays, strata_error *err)
{
    struct stream *stream = strata_gzip_unpack(path, header_bytes(1 + arrays->x.column.shape.rank), bytes, err);
    if (arrays->later || !stream) return (arrays->stream = stream) != NULL;
    return (arrays->x.column.values = strata_gzip_take(stream, err)) != NULL;
}

static bool read_images(gzFile file, const char *path, size_t bytes, struct arrays *arrays, strata_error *err)
{
    struct sink sink = { .what = path, .limit = arrays->memory, .file = -1 };
    bool opened;
    bool ok = open_in_place(file, path, bytes, arrays, &opened, err);
    if (!ok || opened) return ok;
    if (!gzdirect(file) && bytes <= arrays->memory) return unpack(path, bytes, arrays, err);
    ok = strata_gzip_read_last(file, path, bytes, &sink, err) && strata_sink_finish(&sink, arrays, err);
    strata_sink_free(&sink);
    return ok;
}

static bool read_pair(gzFile images, const char *image_path, gzFile labels, const char *label_path,
                      struct arrays *arrays, strata_error *err)
{
    size_t bytes;
    return read_header(images, image_path, "images", 3, 4, &arrays->x, &bytes, err)
           && read_images(images, image_path, bytes, arrays, err)
           && read_header(labels, label_path, "labels", 1, 1, &arrays->y, &bytes, err)
           && read_labels(labels, label_path, bytes, &arrays->y, err);
}

bool strata_read_idx(const char *images, const char *labels, struct arrays *arrays, strata_error *err)
{
    struct shape *shape = &arrays->x.column.shape;
    gzFile of_images = strata_gzip_open(images, err), of_labels = of_images ? strata_gzip_open(labels, err) : NULL;
    const bool ok = of_labels && read_pair(of_images, images, of_labels, labels, arrays, err);
    if (of_images) gzclose_r(of_images);
    if (of_labels) gzclose_r(of_labels);
    if (!ok) return false;
    if (arrays->x.count != arrays->y.count)
        return strata_fail(err, STRATA_EFILE, "%s has %zu images and %s has %zu labels; they must be as many", images,
                           arrays->x.count, labels, arrays->y.count);
    if (shape->rank == 2)
        shape->dim[shape->rank++] = 1;
    arrays->scale = 1.0f / 255;
    return true;
}
