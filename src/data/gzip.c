#include "data/gzip.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "base/thread.h"

/* ---- in sequence ---------------------------------------------------------------------------------------------------- */

enum { READ_BYTES = 1 << 20, BUFFER_BYTES = 1 << 17 };

gzFile strata_gzip_open(const char *path, strata_error *err)
{
    gzFile file = strata_file_fault() ? NULL : gzopen(path, "rb");
    if (!file) strata_fail_native(err, STRATA_EFILE, errno, "%s: cannot be opened: %s", path, strerror(errno));
    if (file) gzbuffer(file, BUFFER_BYTES);
    return file;
}

/* zlib begins its messages with the path, as ours do. */
static bool fail_damaged(const char *path, int why, const char *text, strata_error *err)
{
    const size_t length = strlen(path);
    if (strncmp(text, path, length) == 0 && strncmp(text + length, ": ", 2) == 0)
        text += length + 2;
    return strata_fail_native(err, STRATA_EFILE, why, "%s: damaged: %s", path, text);
}

bool strata_gzip_read(gzFile file, const char *path, void *bytes, size_t size, strata_error *err)
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

bool strata_gzip_read_last(gzFile file, const char *path, size_t size, struct sink *sink, strata_error *err)
{
    unsigned char *part = strata_alloc(READ_BYTES, 1, err);
    bool ok = part != NULL;
    for (size_t done = 0, n; ok && done < size; done += n) {
        n = size - done < READ_BYTES ? size - done : READ_BYTES;
        ok = strata_gzip_read(file, path, part, n, err) && strata_sink_write(sink, part, n, err);
    }
    free(part);
    return ok && at_end(file, path, err);
}

/* ---- whole ---------------------------------------------------------------------------------------------------------- */

struct unpacked {
    struct stream stream;
    pthread_t thread;
    bool running;          /* the thread, which has what follows until it is joined */
    char *path;            /* owned */
    size_t from, size;
    unsigned char *values; /* owned; NULL: `failed` says why */
    strata_error failed;
};

/* The whole file; NULL where it cannot be had so. */
static unsigned char *read_file(int file, const char *path, size_t *size)
{
    enum { LEAST = 10 + 8 }; /* header and trailer */
    strata_error ignored = { 0 };
    struct stat there;
    if (fstat(file, &there) != 0 || !S_ISREG(there.st_mode) || there.st_size < LEAST)
        return NULL;
    *size = (size_t)there.st_size;
    unsigned char *bytes = strata_alloc_pages(*size, true, &ignored);
    if (bytes && strata_file_read_at(file, 0, bytes, *size, path, &ignored))
        return bytes;
    free(bytes);
    return NULL;
}

/* What the last bytes of a file say that its last member holds, modulo 2^32. */
static uint32_t size_told(const unsigned char *packed, size_t size)
{
    const unsigned char *at = packed + size - 4;
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

/* Whether all of the packed bytes are one member of `size` bytes, which `bytes` has then. */
static bool unpack(const unsigned char *packed, size_t packed_size, unsigned char *bytes, size_t size)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    size_t taken = 0, made = 0;
    const bool ok = d
                 && libdeflate_gzip_decompress_ex(d, packed, packed_size, bytes, size, &taken, &made) == LIBDEFLATE_SUCCESS
                 && taken == packed_size && made == size;
    libdeflate_free_decompressor(d);
    return ok;
}

/* Of a file that is one member, which libdeflate unpacks three times as fast as zlib does piece by piece; NULL: it is not, or damaged. */
static unsigned char *unpack_member(const struct unpacked *u)
{
    strata_error ignored = { 0 };
    size_t packed_size = 0;
    const size_t size = u->from + u->size;
    const int file = strata_file_fault() ? -1 : open(u->path, O_RDONLY | O_CLOEXEC);
    unsigned char *packed = file >= 0 ? read_file(file, u->path, &packed_size) : NULL, *bytes = NULL;
    if (file >= 0)
        close(file);
    if (packed && size_told(packed, packed_size) == (uint32_t)size)
        bytes = strata_alloc_pages(size, true, &ignored);
    if (bytes && unpack(packed, packed_size, bytes, size)) {
        memmove(bytes, bytes + u->from, u->size);
    } else {
        free(bytes);
        bytes = NULL;
    }
    free(packed);
    return bytes;
}

static unsigned char *unpack_in_sequence(const struct unpacked *u, strata_error *err)
{
    struct sink sink = { .what = u->path, .limit = SIZE_MAX, .file = -1 };
    unsigned char *header = strata_alloc(u->from, 1, err), *values = NULL;
    gzFile file = header ? strata_gzip_open(u->path, err) : NULL;
    if (file && strata_gzip_read(file, u->path, header, u->from, err) && strata_gzip_read_last(file, u->path, u->size, &sink, err)) {
        values = sink.values ? sink.values : strata_alloc(1, 1, err);
        sink.values = NULL;
    }
    if (file) gzclose_r(file);
    strata_sink_free(&sink);
    free(header);
    return values;
}

static void *work(void *context)
{
    struct unpacked *u = context;
    u->values = unpack_member(u);
    if (!u->values)
        u->values = unpack_in_sequence(u, &u->failed);
    return NULL;
}

/* Whether the values are there, when the thread is done. */
static bool await(struct unpacked *u, strata_error *err)
{
    if (u->running)
        pthread_join(u->thread, NULL);
    u->running = false;
    if (!u->values)
        *err = u->failed;
    return u->values != NULL;
}

static const void *all_rows(struct stream *stream, strata_error *err)
{
    struct unpacked *u = (struct unpacked *)stream;
    return await(u, err) ? u->values : NULL;
}

static void free_unpacked(struct stream *stream)
{
    struct unpacked *u = (struct unpacked *)stream;
    strata_error ignored = { 0 };
    (void)await(u, &ignored);
    free(u->values);
    free(u->path);
    free(u);
}

static const struct stream_class unpacked_class = { .all = all_rows, .free = free_unpacked };

struct stream *strata_gzip_unpack(const char *path, size_t from, size_t size, strata_error *err)
{
    struct unpacked *u = strata_alloc(1, sizeof *u, err);
    char *copy = u ? strata_copy_text(path, err) : NULL;
    if (!copy) {
        free(u);
        return NULL;
    }
    strata_stream_init(&u->stream, &unpacked_class);
    u->path = copy;
    u->from = from;
    u->size = size;
    u->running = strata_thread_start(&u->thread, work, u) == 0;
    if (!u->running)
        work(u);
    return &u->stream;
}

void *strata_gzip_take(struct stream *stream, strata_error *err)
{
    struct unpacked *u = (struct unpacked *)stream;
    void *values = await(u, err) ? u->values : NULL;
    u->values = NULL;
    strata_stream_release(stream);
    return values;
}
