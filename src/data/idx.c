/* IDX, the format of MNIST: two zero bytes, a type byte (8: unsigned bytes), the number of axes, each extent as a
 * big-endian 32-bit number, then the values. Source: http://yann.lecun.com/exdb/mnist. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fault.h"
#include "base/memory.h"
#include "data/rows_priv.h"

enum { IDX_UBYTE = 8, READ_BYTES = 1 << 20 };

/* zlib begins its messages with the path, as ours do. */
static bool fail_damaged(const char *path, int why, const char *text, strata_error *err)
{
    const size_t length = strlen(path);
    if (strncmp(text, path, length) == 0 && strncmp(text + length, ": ", 2) == 0)
        text += length + 2;
    return strata_fail_native(err, STRATA_EFILE, why, "%s: damaged: %s", path, text);
}

/* Fails unless all `size` bytes come. zlib reads plain files as they are. */
static bool read_all(gzFile file, const char *path, void *bytes, size_t size, strata_error *err)
{
    size_t done = 0;
    while (done < size) {
        const size_t left = size - done;
        const int got = gzread(file, (char *)bytes + done, left < READ_BYTES ? (unsigned)left : READ_BYTES);
        int why = Z_OK;
        const char *text = gzerror(file, &why);
        if (got > 0 && why == Z_OK) {
            done += (size_t)got;
            continue;
        }
        if (why == Z_ERRNO)
            return strata_fail_native(err, STRATA_EFILE, errno, "%s: cannot be read: %s", path, strerror(errno));
        if (why != Z_OK && why != Z_STREAM_END && why != Z_BUF_ERROR)
            return fail_damaged(path, why, text, err);
        return strata_fail(err, STRATA_EFILE, "%s: truncated: it ends where %zu more bytes were expected", path,
                           left - (got > 0 ? (size_t)got : 0));
    }
    return true;
}

/* Reading past the last value also makes zlib compare its checksum. */
static bool at_end(gzFile file, const char *path, strata_error *err)
{
    char extra;
    const int got = gzread(file, &extra, 1);
    int why = Z_OK;
    const char *text = gzerror(file, &why);
    if (got > 0)
        return strata_fail(err, STRATA_EFILE, "%s: it goes on after the values that its header counts", path);
    if (why == Z_BUF_ERROR)
        return strata_fail(err, STRATA_EFILE, "%s: truncated: its gzip checksum is missing", path);
    if (got < 0)
        return fail_damaged(path, why, text, err);
    return true;
}

static bool read_header(gzFile file, const char *path, const char *what, int low, int high, struct rows *rows,
                        size_t *bytes, strata_error *err)
{
    unsigned char magic[4], extent[4];
    uint64_t dim[4];
    if (!read_all(file, path, magic, sizeof magic, err))
        return false;
    if (magic[0] != 0 || magic[1] != 0)
        return strata_fail(err, STRATA_EFILE, "%s: not an IDX file: it begins with %02x %02x %02x %02x", path, magic[0],
                           magic[1], magic[2], magic[3]);
    if (magic[2] != IDX_UBYTE || magic[3] < low || magic[3] > high)
        return strata_fail(err, STRATA_EFILE, "%s: an IDX file of type %02x with %d axes; %s have type 08 and %d", path,
                           magic[2], magic[3], what, low);
    for (int i = 0; i < magic[3]; i++) {
        if (!read_all(file, path, extent, sizeof extent, err))
            return false;
        dim[i] = (uint32_t)extent[0] << 24 | (uint32_t)extent[1] << 16 | (uint32_t)extent[2] << 8 | extent[3];
    }
    rows->column.type = STRATA_UINT8;
    return strata_rows_shape(rows, magic[3], dim, 1, bytes, path, err);
}

/* Memory grows with what the file really holds, so that a damaged header cannot ask for all there is. */
static bool read_values(gzFile file, const char *path, size_t bytes, struct sink *sink, strata_error *err)
{
    unsigned char *part = strata_alloc(READ_BYTES, 1, err);
    bool ok = part != NULL;
    for (size_t done = 0, n; ok && done < bytes; done += n) {
        n = bytes - done < READ_BYTES ? bytes - done : READ_BYTES;
        ok = read_all(file, path, part, n, err) && strata_sink_write(sink, part, n, err);
    }
    free(part);
    return ok && at_end(file, path, err);
}

static bool read_labels(gzFile file, const char *path, size_t bytes, struct rows *rows, strata_error *err)
{
    struct arrays labels = { 0 };
    struct sink sink = { .what = path, .limit = SIZE_MAX, .file = -1 };
    labels.x = *rows;
    const bool ok = read_values(file, path, bytes, &sink, err) && strata_sink_finish(&sink, &labels, err);
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
    const uint64_t from = 4 + 4 * (1 + (uint64_t)arrays->x.column.shape.rank);
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

static bool read_images(gzFile file, const char *path, size_t bytes, struct arrays *arrays, strata_error *err)
{
    struct sink sink = { .what = path, .limit = arrays->memory, .file = -1 };
    bool opened;
    bool ok = open_in_place(file, path, bytes, arrays, &opened, err);
    if (!ok || opened) return ok;
    ok = read_values(file, path, bytes, &sink, err) && strata_sink_finish(&sink, arrays, err);
    strata_sink_free(&sink);
    return ok;
}

static gzFile open_file(const char *path, strata_error *err)
{
    gzFile file = strata_file_fault() ? NULL : gzopen(path, "rb");
    if (!file) strata_fail_native(err, STRATA_EFILE, errno, "%s: cannot be opened: %s", path, strerror(errno));
    if (file) gzbuffer(file, 1 << 17);
    return file;
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
    gzFile of_images = open_file(images, err), of_labels = of_images ? open_file(labels, err) : NULL;
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
