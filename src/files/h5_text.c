/* Text attributes: h5py writes them with variable length today, with fixed length in older files. */
#include "files/h5.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "files/h5_priv.h"

enum {
    MOST_TEXTS = 1000000, /* in one attribute */
    MOST_PARTS = 10000,   /* name0, name1, ... */
    HEADER_LIMIT = 64512  /* Keras's HDF5_OBJECT_HEADER_LIMIT: bytes of one attribute */
};

/* ---- reading ---- */

struct attribute {
    hid_t id, type, space;
    size_t count, width; /* texts; bytes of each where the length is fixed */
    bool variable, none; /* none: an empty list, of any type */
};

static void close_attribute(struct attribute *a)
{
    if (a->space >= 0) H5Sclose(a->space);
    if (a->type >= 0) H5Tclose(a->type);
    if (a->id >= 0) H5Aclose(a->id);
}

static bool open_attribute(const struct h5 *file, const char *object, const char *name, struct attribute *a,
                           strata_error *err)
{
    *a = (struct attribute){ .type = H5I_INVALID_HID, .space = H5I_INVALID_HID };
    a->id = H5Aopen_by_name(file->id, strata_h5_path(object), name, H5P_DEFAULT, H5P_DEFAULT);
    if (a->id >= 0) {
        a->type = H5Aget_type(a->id);
        a->space = H5Aget_space(a->id);
    }
    const hssize_t count = a->space >= 0 ? H5Sget_simple_extent_npoints(a->space) : -1;
    if (a->type >= 0 && count == 0) {
        a->none = true;
        return true;
    }
    const bool text = a->type >= 0 && H5Tget_class(a->type) == H5T_STRING;
    a->variable = text && H5Tis_variable_str(a->type) > 0;
    a->width = text ? H5Tget_size(a->type) : 0;
    if (text && a->width > 0 && count > 0 && count <= MOST_TEXTS
        && (a->variable || (size_t)count <= file->size / a->width)) {
        a->count = (size_t)count;
        return true;
    }
    close_attribute(a);
    return strata_h5_fail(file, err, "attribute %s of %s is not text", name, strata_h5_path(object));
}

static bool read_variable(const struct attribute *a, struct names *texts, strata_error *err)
{
    char **read = strata_alloc(a->count, sizeof *read, err);
    const hid_t memory = H5Tcopy(H5T_C_S1);
    bool ok = read && memory >= 0 && H5Tset_size(memory, H5T_VARIABLE) >= 0
              && H5Tset_cset(memory, H5Tget_cset(a->type)) >= 0 && H5Aread(a->id, memory, read) >= 0;
    for (size_t i = 0; ok && i < a->count; i++) ok = strata_names_add(texts, read[i] ? read[i] : "", err);
    if (read)
        for (size_t i = 0; i < a->count; i++) H5free_memory(read[i]);
    if (memory >= 0) H5Tclose(memory);
    free(read);
    return ok;
}

static bool read_fixed(const struct attribute *a, struct names *texts, strata_error *err)
{
    char *read = strata_alloc(a->count, a->width, err);
    bool ok = read && H5Aread(a->id, a->type, read) >= 0;
    for (size_t i = 0; ok && i < a->count; i++) {
        const char *text = read + i * a->width;
        ok = strata_names_adopt(texts, strata_copy_bytes(text, strnlen(text, a->width), err), err);
    }
    free(read);
    return ok;
}

static bool add_attribute(const struct h5 *file, const char *object, const char *name, struct names *texts,
                          strata_error *err)
{
    struct attribute a;
    if (!open_attribute(file, object, name, &a, err)) return false;
    const strata_code before = err->code;
    const bool ok = a.none || (a.variable ? read_variable(&a, texts, err) : read_fixed(&a, texts, err));
    close_attribute(&a);
    if (!ok && err->code == before)
        strata_h5_fail(file, err, "attribute %s of %s cannot be read", name, strata_h5_path(object));
    return ok;
}

bool strata_h5_text(const struct h5 *file, const char *object, const char *name, char **text,
                    strata_error *err)
{
    struct names texts = { 0 };
    *text = NULL;
    if (!strata_h5_has_attribute(file, object, name)) return true;
    bool ok = add_attribute(file, object, name, &texts, err)
              && (texts.count == 1
                  || strata_h5_fail(file, err, "attribute %s of %s holds %zu texts, not one", name,
                                    strata_h5_path(object), texts.count));
    if (ok) {
        *text = texts.list[0];
        texts.list[0] = NULL;
    }
    strata_names_release(&texts);
    return ok;
}

bool strata_h5_texts(const struct h5 *file, const char *object, const char *name, struct names *texts,
                     strata_error *err)
{
    char part[64];
    if (strata_h5_has_attribute(file, object, name)) return add_attribute(file, object, name, texts, err);
    for (int i = 0; i < MOST_PARTS; i++) {
        snprintf(part, sizeof part, "%s%d", name, i);
        if (!strata_h5_has_attribute(file, object, part))
            return i > 0 || strata_h5_fail(file, err, "%s has no attribute %s", strata_h5_path(object), name);
        if (!add_attribute(file, object, part, texts, err)) return false;
    }
    return strata_h5_fail(file, err, "%s: attribute %s has too many parts", strata_h5_path(object), name);
}

/* ---- writing ---- */

static bool write_attribute(struct h5 *file, const char *object, const char *name, hid_t type, hid_t space,
                            const void *values, strata_error *err)
{
    bool ok = false;
    if (type >= 0 && space >= 0) {
        const hid_t id = H5Acreate_by_name(file->id, strata_h5_path(object), name, type, space, H5P_DEFAULT,
                                           H5P_DEFAULT, H5P_DEFAULT);
        ok = id >= 0 && (!values || H5Awrite(id, type, values) >= 0);
        if (id >= 0) H5Aclose(id);
    }
    return ok
           || strata_h5_fail(file, err, "attribute %s of %s cannot be written", name, strata_h5_path(object));
}

static hid_t text_type(bool utf8)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0) {
        H5Tset_size(type, H5T_VARIABLE);
        H5Tset_cset(type, utf8 ? H5T_CSET_UTF8 : H5T_CSET_ASCII);
    }
    return type;
}

bool strata_h5_put_text(struct h5 *file, const char *object, const char *name, const char *text, bool utf8,
                        strata_error *err)
{
    const hid_t type = text_type(utf8), space = H5Screate(H5S_SCALAR);
    const bool ok = write_attribute(file, object, name, type, space, &text, err);
    H5Sclose(space);
    H5Tclose(type);
    return ok;
}

static bool put_part(struct h5 *file, const char *object, const char *name, char *const *texts, size_t count,
                     strata_error *err)
{
    const hsize_t dims[1] = { count };
    const hid_t type = count > 0 ? text_type(false) : H5Tcopy(H5T_IEEE_F64LE);
    const hid_t space = H5Screate_simple(1, dims, NULL);
    const bool ok = write_attribute(file, object, name, type, space, count > 0 ? texts : NULL, err);
    H5Sclose(space);
    H5Tclose(type);
    return ok;
}

bool strata_h5_put_texts(struct h5 *file, const char *object, const char *name, const struct names *texts,
                         strata_error *err)
{
    size_t widest = 0, parts = 1;
    for (size_t i = 0; i < texts->count; i++)
        if (strlen(texts->list[i]) > widest) widest = strlen(texts->list[i]);
    if (widest > HEADER_LIMIT)
        return strata_h5_fail(file, err, "attribute %s of %s: a text of %zu bytes is too long", name,
                              strata_h5_path(object), widest);
    /* numpy pads every text to the widest and array_split makes the first parts one longer */
    while (((texts->count + parts - 1) / parts) * widest > HEADER_LIMIT) parts++;
    bool ok = true;
    for (size_t i = 0, at = 0; ok && i < parts; i++) {
        char part[64];
        const size_t count = texts->count / parts + (i < texts->count % parts);
        snprintf(part, sizeof part, "%s%zu", name, i);
        ok = put_part(file, object, parts > 1 ? part : name, texts->list + at, count, err);
        at += count;
    }
    return ok;
}
