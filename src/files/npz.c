/* Source of the .npy format: numpy/lib/format.py. */
#include "files/npz.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "files/leaves.h"
#include "files/load.h"
#include "files/zip.h"

struct item {
    char *name;   /* without ".npy" */
    char type[4]; /* "<f4" */
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

static const struct {
    const char *type;
    size_t size;
} types[] = {
    { "<f4", 4 }, { "<f8", 8 }, { "<i4", 4 }, { "<i8", 8 }, { "|u1", 1 },
};

static size_t size_of(const char *type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].type, type) == 0) return types[i].size;
    return 0;
}

/* ---- reading ---- */

static bool damaged(const struct npz *file, const struct item *item, const char *how, strata_error *err)
{
    return strata_fail(err, STRATA_EFILE, "%s: array %s: %s", file->what, item->name, how);
}

/* What follows 'key': in the header, a Python dict of known form. */
static const char *value_of(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    if (!at) return NULL;
    for (at += strlen(key); isspace((unsigned char)*at);) at++;
    return at;
}

static bool parse_shape(struct item *item, const char *at)
{
    enum { MOST = sizeof item->shape.dim / sizeof *item->shape.dim };
    item->count = 1;
    if (!at || *at++ != '(') return false;
    while (*at != ')') {
        char *end;
        if (!isdigit((unsigned char)*at) || item->shape.rank == MOST) return false;
        const unsigned long long dim = strtoull(at, &end, 10);
        if (dim > SIZE_MAX / 8 || (dim > 0 && item->count > SIZE_MAX / 8 / dim)) return false;
        item->shape.dim[item->shape.rank++] = (size_t)dim;
        item->count *= (size_t)dim;
        for (at = end; *at == ',' || *at == ' ';) at++;
    }
    return true;
}

static bool parse_header(struct item *item, const char *header)
{
    const char *type = value_of(header, "'descr':"), *order = value_of(header, "'fortran_order':");
    if (!type || (*type != '\'' && *type != '"') || strlen(type) < 5 || type[4] != *type) return false;
    memcpy(item->type, type + 1, 3);
    item->type[3] = '\0';
    return size_of(item->type) > 0 && order && strncmp(order, "False", 5) == 0
           && parse_shape(item, value_of(header, "'shape':"));
}

/* Checks an entry of `size` bytes and finds its parts. */
static bool parse_item(const struct npz *file, struct item *item, size_t size, strata_error *err)
{
    const unsigned char *bytes = item->bytes;
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 || bytes[6] > 3)
        return damaged(file, item, "not a .npy file of version 1 to 3", err);
    const size_t start = bytes[6] == 1 ? 10 : 12;
    size_t length = bytes[8] | (size_t)bytes[9] << 8;
    if (start == 12) length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (length > size - start) return damaged(file, item, "its header is longer than the entry", err);
    char *header = strata_copy_bytes((const char *)bytes + start, length, err);
    if (!header) return false;
    const bool known = parse_header(item, header);
    free(header);
    if (!known)
        return damaged(file, item, "its header is not one of numbers (<f4, <f8, <i4, <i8, |u1) in C order",
                       err);
    item->numbers = (const char *)bytes + start + length;
    return item->count == (size - start - length) / size_of(item->type)
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

static float number(const struct item *item, size_t index)
{
    const char *at = item->numbers + index * size_of(item->type);
    if (item->type[0] == '|') return (float)*(const unsigned char *)at;
    if (strcmp(item->type, "<f4") == 0) {
        float value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    if (strcmp(item->type, "<f8") == 0) {
        double value;
        memcpy(&value, at, sizeof value);
        return (float)value;
    }
    if (strcmp(item->type, "<i4") == 0) {
        int32_t value;
        memcpy(&value, at, sizeof value);
        return (float)value;
    }
    int64_t value;
    memcpy(&value, at, sizeof value);
    return (float)value;
}

bool strata_npz_floats(const struct npz *file, const char *name, float *values, size_t count,
                       strata_error *err)
{
    const struct item *item = find(file, name);
    if (!item || item->count != count)
        return strata_fail(err, STRATA_EFILE, "%s: it has no array %s of %zu numbers", file->what, name,
                           count);
    for (size_t i = 0; i < count; i++) values[i] = number(item, i);
    return true;
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

static bool put_leaf(struct archive *zip, struct leaf *leaf, char **bytes, strata_error *err)
{
    struct text name = { 0 };
    size_t size;
    strata_text_add(&name, "%s/%s.npy", leaf->path, leaf->info.name);
    char *text = strata_text_take(&name, err);
    const bool ok = text && strata_leaf_fetch(leaf, err) && (*bytes = npy(leaf, &size, err))
                    && strata_zip_put(zip, text, *bytes, size, err);
    free(text);
    return ok;
}

bool strata_npz_write(const strata_model *model, const char *what, void **bytes, size_t *size,
                      strata_error *err)
{
    struct leaves leaves = { 0 };
    struct archive *zip = strata_zip_create(what, err);
    bool ok = zip && strata_leaves_collect(model, &leaves, err);
    char **entries = ok ? strata_alloc(leaves.count, sizeof *entries, err) : NULL;
    ok = ok && entries;
    for (size_t i = 0; ok && i < leaves.count; i++) ok = put_leaf(zip, &leaves.list[i], &entries[i], err);
    ok = ok && strata_zip_finish(zip, bytes, size, err);
    strata_zip_close(zip);
    for (size_t i = 0; entries && i < leaves.count; i++) free(entries[i]);
    free(entries);
    strata_leaves_release(&leaves);
    return ok;
}
