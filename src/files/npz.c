#include "files/npz.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/npy.h"
#include "files/leaves.h"
#include "files/load.h"
#include "files/zip.h"

struct item {
    char *name; /* without ".npy" */
    struct number number;
    strata_shape shape;
    size_t count;        /* numbers */
    void *bytes;         /* the whole entry; owned */
    const char *numbers; /* in bytes */
};

struct npz {
    char *what;
    struct item *items;
    size_t count;
};

/* ---- reading ---- */

static bool damaged(const struct npz *file, const struct item *item, const char *how, strata_error *err)
{
    return strata_fail(err, STRATA_EFILE, "%s: array %s: %s", file->what, item->name, how);
}

static bool take_header(const struct npz *file, struct item *item, const struct npy *npy, strata_error *err)
{
    enum { MOST = sizeof item->shape.dim / sizeof *item->shape.dim };
    item->number = npy->number;
    item->shape.rank = npy->rank;
    item->count = 1;
    if (npy->rank > MOST) return damaged(file, item, "it has more axes than weights have", err);
    for (int i = 0; i < npy->rank; i++) {
        if (npy->dim[i] > SIZE_MAX / 8 || (npy->dim[i] > 0 && item->count > SIZE_MAX / 8 / npy->dim[i]))
            return damaged(file, item, "its shape does not fit its size", err);
        item->shape.dim[i] = (size_t)npy->dim[i];
        item->count *= (size_t)npy->dim[i];
    }
    return true;
}

static bool parse_header(const struct npz *file, struct item *item, const char *text, size_t length, const char *what,
                         strata_error *err)
{
    struct npy npy;
    char *header = strata_copy_bytes(text, length, err);
    const bool ok = header && strata_npy_parse(header, &npy, what, err) && take_header(file, item, &npy, err);
    free(header);
    return ok;
}

/* Checks an entry of `size` bytes and finds its parts. */
static bool parse_item(const struct npz *file, struct item *item, size_t size, strata_error *err)
{
    const unsigned char *bytes = item->bytes;
    char what[512];
    size_t length;
    snprintf(what, sizeof what, "%.300s: array %.200s", file->what, item->name);
    if (size < NPY_START + 4) return damaged(file, item, "it is too short for a .npy file", err);
    const size_t length_size = strata_npy_length_size(bytes, what, err), start = NPY_START + length_size;
    if (length_size == 0 || !strata_npy_length(bytes + NPY_START, length_size, &length, what, err)) return false;
    if (length > size - start) return damaged(file, item, "its header is longer than the entry", err);
    if (!parse_header(file, item, (const char *)bytes + start, length, what, err)) return false;
    item->numbers = (const char *)bytes + start + length;
    return item->count == (size - start - length) / item->number.size
           || damaged(file, item, "its shape does not fit its size", err);
}

static bool read_item(struct npz *file, const struct archive *zip, const char *entry, strata_error *err)
{
    struct item *item = &file->items[file->count++];
    const size_t length = strlen(entry);
    size_t size;
    if (length < 5 || strcmp(entry + length - 4, ".npy") != 0)
        return strata_fail(err, STRATA_EFILE, "%s: entry %s is not an array (.npy)", file->what, entry);
    return (item->name = strata_copy_bytes(entry, length - 4, err))
           && strata_zip_read(zip, entry, &item->bytes, &size, err) && parse_item(file, item, size, err);
}

struct npz *strata_npz_open(const char *path, strata_error *err)
{
    struct names entries = { 0 };
    struct archive *zip = strata_zip_open(path, err);
    struct npz *file = zip ? strata_alloc(1, sizeof *file, err) : NULL;
    bool ok = file && (file->what = strata_copy_text(path, err)) && strata_zip_names(zip, &entries, err)
              && (file->items = strata_alloc(entries.count, sizeof *file->items, err));
    for (size_t i = 0; ok && i < entries.count; i++) ok = read_item(file, zip, entries.list[i], err);
    strata_names_release(&entries);
    strata_zip_close(zip);
    if (ok) return file;
    strata_npz_close(file);
    return NULL;
}

void strata_npz_close(struct npz *file)
{
    if (!file) return;
    for (size_t i = 0; i < file->count; i++) {
        free(file->items[i].name);
        free(file->items[i].bytes);
    }
    free(file->items);
    free(file->what);
    free(file);
}

const char *strata_npz_what(const struct npz *file)
{
    return file->what;
}

size_t strata_npz_count(const struct npz *file)
{
    return file->count;
}

const char *strata_npz_name(const struct npz *file, size_t index)
{
    return file->items[index].name;
}

static const struct item *find(const struct npz *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->items[i].name, name) == 0) return &file->items[i];
    return NULL;
}

bool strata_npz_has(const struct npz *file, const char *name)
{
    return find(file, name) != NULL;
}

bool strata_npz_shape(const struct npz *file, const char *name, strata_shape *shape, strata_error *err)
{
    const struct item *item = find(file, name);
    if (!item) return strata_fail(err, STRATA_EFILE, "%s: it has no array %s", file->what, name);
    *shape = item->shape;
    return true;
}

bool strata_npz_floats(const struct npz *file, const char *name, float *values, size_t count,
                       strata_error *err)
{
    const struct item *item = find(file, name);
    if (!item || item->count != count)
        return strata_fail(err, STRATA_EFILE, "%s: it has no array %s of %zu numbers", file->what, name,
                           count);
    size_t bad;
    return strata_numbers_convert(&item->number, item->numbers, count, STRATA_FLOAT32, values, &bad)
           || damaged(file, item, "an integer is too large", err);
}

/* ---- which array is which weight ---- */

static bool use(struct leaf *leaf, const char *name, strata_error *err)
{
    return (leaf->source = strata_copy_text(name, err)) != NULL;
}

static bool match_one(struct load *load, const struct npz *file, size_t index, bool numbered,
                      strata_error *err)
{
    struct leaf *leaf = &load->leaves.list[index];
    struct text name = { 0 };
    if (numbered)
        strata_text_add(&name, "arr_%zu", index);
    else
        strata_text_add(&name, "%s/%s", leaf->path, leaf->info.name);
    char *text = strata_text_take(&name, err);
    bool ok = text != NULL;
    if (ok && strata_npz_has(file, text))
        ok = use(leaf, text, err);
    else if (ok && !load->options.by_name)
        ok = strata_fail(err, STRATA_EFILE,
                         "%s: it has no array %s, which the model needs; load by name to leave it as it is",
                         file->what, text);
    free(text);
    return ok;
}

static bool wanted(const struct load *load, const char *name)
{
    for (size_t i = 0; i < load->leaves.count; i++)
        if (load->leaves.list[i].source && strcmp(load->leaves.list[i].source, name) == 0) return true;
    return false;
}

bool strata_match_npz(struct load *load, const struct npz *file, strata_error *err)
{
    const bool numbered = strata_npz_has(file, "arr_0");
    if (numbered && load->options.by_name)
        return strata_fail(err, STRATA_EFILE, "%s: its arrays have numbers, not names; load by order",
                           file->what);
    for (size_t i = 0; i < load->leaves.count; i++)
        if (!match_one(load, file, i, numbered, err)) return false;
    for (size_t i = 0; i < file->count; i++)
        if (!wanted(load, file->items[i].name) && !strata_names_add(&load->unused, file->items[i].name, err))
            return false;
    if (load->unused.count > 0 && !load->options.by_name)
        return strata_fail(err, STRATA_EFILE,
                           "%s: the model has no weight for array %s; load by name to ignore it", file->what,
                           load->unused.list[0]);
    return true;
}

/* ---- writing ---- */

/* A .npy of version 1, its header padded so that the numbers begin at a multiple of 64 bytes. */
static char *npy(struct leaf *leaf, size_t *size, strata_error *err)
{
    struct text header = { 0 };
    strata_text_add(&header, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < leaf->info.shape.rank; i++)
        strata_text_add(&header, "%s%zu%s", i > 0 ? ", " : "", leaf->info.shape.dim[i],
                        leaf->info.shape.rank == 1 ? "," : "");
    strata_text_add(&header, "), }");
    while ((10 + header.length + 1) % 64 != 0 && !header.failed) strata_text_add(&header, " ");
    strata_text_add(&header, "\n");
    const size_t length = header.length, numbers = leaf->info.count * sizeof(float);
    char *text = strata_text_take(&header, err),
         *bytes = text ? strata_alloc(10 + length + numbers, 1, err) : NULL;
    if (bytes) {
        memcpy(bytes, "\x93NUMPY\x01\x00", 8);
        bytes[8] = (char)(length & 0xff);
        bytes[9] = (char)(length >> 8);
        memcpy(bytes + 10, text, length);
        memcpy(bytes + 10 + length, leaf->values, numbers);
        *size = 10 + length + numbers;
    }
    free(text);
    return bytes;
}

static bool put_leaf(struct zip_writer *zip, struct leaf *leaf, strata_error *err)
{
    struct text name = { 0 };
    char *bytes = NULL;
    size_t size;
    strata_text_add(&name, "%s/%s.npy", leaf->path, leaf->info.name);
    char *text = strata_text_take(&name, err);
    const bool ok = text && strata_leaf_fetch(leaf, err) && (bytes = npy(leaf, &size, err))
                    && strata_zip_put(zip, text, bytes, size, err);
    free(bytes);
    free(text);
    return ok;
}

bool strata_npz_write(const strata_model *model, const char *path, strata_error *err)
{
    struct leaves leaves = { 0 };
    struct zip_writer *zip = strata_zip_create(path, err);
    bool ok = zip && strata_leaves_collect(model, &leaves, err);
    for (size_t i = 0; ok && i < leaves.count; i++) ok = put_leaf(zip, &leaves.list[i], err);
    ok = ok && strata_zip_commit(zip, err);
    strata_zip_free(zip);
    strata_leaves_release(&leaves);
    return ok;
}
