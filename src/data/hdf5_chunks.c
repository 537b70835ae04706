/* Rows of an HDF5 array that lies in chunks. The chunks used last stay unpacked. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "data/hdf5_priv.h"

enum { CACHE_BYTES = 64 << 20, MOST_RATIO = 1100, MOST_ASKED = 100000 };

struct place {
    uint64_t at;
    uint32_t size, mask;
};

struct slot {
    size_t chunk; /* SIZE_MAX: empty */
    uint64_t used;
    unsigned char *bytes; /* owned */
};

struct chunks {
    struct stream stream;
    struct h5_array array;     /* its borrowed members are not kept */
    char *what;                /* owned */
    int file;
    uint64_t grid[STRATA_MAX_RANK]; /* chunks along each axis */
    uint64_t inner[STRATA_MAX_RANK], outer[STRATA_MAX_RANK]; /* numbers from one place of an axis to the next, in a chunk and
                                                                in a sample */
    size_t count, across;      /* chunks in all, and of those beside each other that one sample touches */
    size_t bytes;              /* of a chunk, unpacked */
    struct place *place;       /* owned: by chunk, row-major */
    struct slot *slot;         /* owned */
    size_t slots, latest;
    uint64_t clock;
};

/* ---- one chunk ------------------------------------------------------------------------------------------------------- */

static bool unpack(const struct chunks *c, size_t chunk, unsigned char **bytes, strata_error *err)
{
    const struct place *place = &c->place[chunk];
    size_t size = place->size;
    if (c->bytes / MOST_RATIO > size)
        return strata_fail(err, STRATA_EFILE, "%s: damaged: a chunk of %zu bytes cannot hold %zu", c->what, size, c->bytes);
    unsigned char *raw = strata_alloc(size, 1, err);
    const bool ok = raw && strata_file_read_at(c->file, place->at, raw, size, c->what, err)
                    && strata_hdf5_unfilter(&c->array, place->mask, c->bytes, &raw, &size, err);
    if (ok)
        *bytes = raw;
    else
        free(raw);
    return ok;
}

/* The chunk's bytes, which stay until other chunks have taken all the slots. */
static const unsigned char *get(struct chunks *c, size_t chunk, strata_error *err)
{
    struct slot *oldest = &c->slot[0];
    if (c->slot[c->latest].chunk == chunk) return c->slot[c->latest].bytes;
    for (size_t i = 0; i < c->slots; i++) {
        struct slot *slot = &c->slot[i];
        if (slot->chunk == chunk) {
            slot->used = ++c->clock;
            c->latest = i;
            return slot->bytes;
        }
        if (slot->used < oldest->used) oldest = slot;
    }
    free(oldest->bytes);
    *oldest = (struct slot){ .chunk = SIZE_MAX };
    if (!unpack(c, chunk, &oldest->bytes, err)) return NULL;
    oldest->chunk = chunk;
    oldest->used = ++c->clock;
    c->latest = (size_t)(oldest - c->slot);
    return oldest->bytes;
}

/* ---- one sample ------------------------------------------------------------------------------------------------------ */

/* Where a chunk and a sample meet: in each axis after the first, from where and how much. */
struct part {
    uint64_t from[STRATA_MAX_RANK], count[STRATA_MAX_RANK];
};

/* `beside` numbers the chunks of a row of chunks. */
static void find_part(const struct chunks *c, size_t beside, struct part *part)
{
    const struct h5_array *a = &c->array;
    for (int i = a->rank - 1; i > 0; i--) {
        part->from[i] = beside % c->grid[i] * a->chunk[i];
        const uint64_t left = a->dim[i] - part->from[i];
        part->count[i] = left < a->chunk[i] ? left : a->chunk[i];
        beside /= c->grid[i];
    }
}

/* Copies along axis `axis` and those after it; within: numbers into the chunk, out: into the sample. */
static bool copy_axis(const struct chunks *c, const struct part *part, int axis, const unsigned char *chunk, uint64_t within,
                      char *sample, uint64_t out)
{
    const struct h5_array *a = &c->array;
    size_t bad;
    if (axis >= a->rank - 1) {
        const uint64_t first = axis < a->rank ? part->from[axis] : 0, count = axis < a->rank ? part->count[axis] : 1;
        return strata_numbers_convert(&a->number, chunk + within * a->number.size, count, a->as,
                                      sample + (out + first) * strata_type_size(a->as), &bad);
    }
    const uint64_t inner = c->inner[axis], outer = c->outer[axis];
    for (uint64_t i = 0; i < part->count[axis]; i++)
        if (!copy_axis(c, part, axis + 1, chunk, within + i * inner, sample, out + (part->from[axis] + i) * outer))
            return false;
    return true;
}

static bool read_row(struct chunks *c, uint32_t row, char *sample, strata_error *err)
{
    const struct h5_array *a = &c->array;
    const size_t first = row / a->chunk[0] * c->across;
    for (size_t beside = 0; beside < c->across; beside++) {
        struct part part;
        const unsigned char *chunk = get(c, first + beside, err);
        if (!chunk) return false;
        find_part(c, beside, &part);
        if (!copy_axis(c, &part, 1, chunk, row % a->chunk[0] * c->inner[0], sample, 0))
            return strata_fail(err, STRATA_EFILE, "%s: sample %u holds an integer that does not fit %d bits", c->what, row,
                               a->as == STRATA_INT64 ? 64 : 32);
    }
    return true;
}

struct order {
    uint32_t row;
    size_t place;
};

static int by_row(const void *a, const void *b)
{
    const struct order *p = a, *q = b;
    return (p->row > q->row) - (p->row < q->row);
}

/* In the order of the file, so that a chunk is unpacked once for all its samples in the batch. */
static bool read_rows(struct stream *stream, const uint32_t *rows, size_t count, void *out, strata_error *err)
{
    struct chunks *c = (struct chunks *)stream;
    size_t each = strata_type_size(c->array.as);
    for (int i = 1; i < c->array.rank; i++) each *= (size_t)c->array.dim[i];
    struct order *order = strata_alloc(count, sizeof *order, err);
    bool ok = order != NULL;
    for (size_t i = 0; ok && i < count; i++) order[i] = (struct order){ rows[i], i };
    if (ok) qsort(order, count, sizeof *order, by_row);
    for (size_t i = 0; ok && i < count; i++) ok = read_row(c, order[i].row, (char *)out + order[i].place * each, err);
    free(order);
    return ok;
}

static void free_chunks(struct stream *stream)
{
    struct chunks *c = (struct chunks *)stream;
    for (size_t i = 0; c->slot && i < c->slots; i++) free(c->slot[i].bytes);
    if (c->file >= 0) close(c->file);
    free(c->slot);
    free(c->place);
    free(c->what);
    free(c);
}

static const struct stream_class chunks_class = { .read = read_rows, .free = free_chunks };

/* ---- where the chunks are -------------------------------------------------------------------------------------------- */

static bool note_chunk(void *context, const uint64_t *corner, uint64_t at, uint32_t size, uint32_t mask, strata_error *err)
{
    struct chunks *c = context;
    const struct h5_array *a = &c->array;
    uint64_t index = 0;
    for (int i = 0; i < a->rank; i++) {
        const uint64_t cell = corner[i] / a->chunk[i];
        if (corner[i] % a->chunk[i] != 0)
            return strata_fail(err, STRATA_EFILE, "%s: damaged: a chunk that lies between others", c->what);
        if (cell >= c->grid[i]) return true; /* cut off when the array was made smaller */
        index = index * c->grid[i] + cell;
    }
    c->place[index] = (struct place){ at, size, mask };
    return true;
}

static bool ask_chunks(struct chunks *c, strata_error *err)
{
    hsize_t count = 0;
    const hid_t space = H5Dget_space(c->array.dataset);
    bool ok = space >= 0 && H5Dget_num_chunks(c->array.dataset, space, &count) >= 0 && count <= MOST_ASKED;
    for (hsize_t i = 0; ok && i < count; i++) {
        hsize_t corner[H5S_MAX_RANK], size;
        uint64_t plain[H5S_MAX_RANK];
        unsigned mask;
        haddr_t at;
        ok = H5Dget_chunk_info(c->array.dataset, space, i, corner, &mask, &at, &size) >= 0 && size <= UINT32_MAX;
        for (int j = 0; ok && j < c->array.rank; j++) plain[j] = corner[j];
        if (ok && !note_chunk(c, plain, at, (uint32_t)size, mask, err)) break;
    }
    if (space >= 0) H5Sclose(space);
    if (!ok)
        strata_fail(err, STRATA_EFILE, "%s: its chunks cannot be found; Strata reads up to %d of this kind, and any number "
                    "from files of HDF5's earliest format", c->what, MOST_ASKED);
    return ok && err->code == STRATA_OK;
}

/* Every chunk must be there: what was never written is no data. */
static bool find_chunks(struct chunks *c, strata_error *err)
{
    const struct h5_array *a = &c->array;
    if (!(c->place = strata_alloc(c->count, sizeof *c->place, err))) return false;
    if (a->layout.known && a->layout.at == UINT64_MAX)
        return strata_fail(err, STRATA_EFILE, "%s: it was never filled", c->what);
    if (!(a->layout.known ? strata_h5_visit_chunks(a->map, a->layout.at, a->rank, note_chunk, c, err) : ask_chunks(c, err)))
        return false;
    for (size_t i = 0; i < c->count; i++)
        if (c->place[i].size == 0 || c->place[i].at > a->map->size || c->place[i].size > a->map->size - c->place[i].at)
            return strata_fail(err, STRATA_EFILE, "%s: chunk %zu of %zu is %s", c->what, i, c->count,
                               c->place[i].size == 0 ? "not there: damaged, or never filled"
                                                     : "beyond the end of the file: damaged");
    return true;
}

/* The table of chunks and the cache cannot be larger than what the file really holds lets them be. */
static bool measure(struct chunks *c, strata_error *err)
{
    const struct h5_array *a = &c->array;
    const uint64_t most = a->map->size;
    uint64_t bytes = a->number.size, count = 1;
    for (int i = 0; i < a->rank; i++) {
        if (a->chunk[i] == 0 || a->dim[i] == 0 || bytes > UINT32_MAX / a->chunk[i])
            return strata_fail(err, STRATA_EFILE, "%s: its chunks have impossible sizes: damaged", c->what);
        bytes *= a->chunk[i];
        c->grid[i] = (a->dim[i] - 1) / a->chunk[i] + 1;
        if (count > most / c->grid[i])
            return strata_fail(err, STRATA_EFILE, "%s: it has more chunks than the file can hold: damaged", c->what);
        count *= c->grid[i];
    }
    c->inner[a->rank - 1] = c->outer[a->rank - 1] = 1;
    for (int i = a->rank - 1; i > 0; i--) {
        c->inner[i - 1] = c->inner[i] * a->chunk[i];
        c->outer[i - 1] = c->outer[i] * a->dim[i];
    }
    c->count = (size_t)count;
    c->across = (size_t)(count / c->grid[0]);
    c->bytes = (size_t)bytes;
    c->slots = CACHE_BYTES / c->bytes < c->across ? c->across : CACHE_BYTES / c->bytes;
    c->slots = c->slots < c->count ? c->slots : c->count;
    c->slots = c->slots > 1024 && c->across < 1024 ? 1024 : c->slots;
    c->slot = strata_alloc(c->slots, sizeof *c->slot, err);
    for (size_t i = 0; c->slot && i < c->slots; i++) c->slot[i].chunk = SIZE_MAX;
    return c->slot != NULL;
}

struct stream *strata_hdf5_chunks_open(const struct h5_array *array, strata_error *err)
{
    struct chunks *c = strata_alloc(1, sizeof *c, err);
    if (!c) return NULL;
    strata_stream_init(&c->stream, &chunks_class);
    c->array = *array;
    c->file = open(array->path, O_RDONLY | O_CLOEXEC);
    c->what = strata_copy_text(array->what, err);
    c->array.what = c->what;
    const bool opened = c->what && (c->file >= 0 || strata_fail(err, STRATA_EFILE, "%s: cannot be opened", array->what));
    if (opened && measure(c, err) && find_chunks(c, err)) {
        c->array.map = NULL;
        c->array.path = NULL;
        return &c->stream;
    }
    strata_stream_release(&c->stream);
    return NULL;
}
