/* Datasets x, y and sample_weight of an HDF5 file. */
#include "data/sources_priv.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"

/* deflate's best ratio is 1032 to 1; more means that the file claims what it does not hold. */
enum { MOST_RATIO = 1100, SMALL_BYTES = 1 << 20 };

static herr_t note_innermost(unsigned depth, const H5E_error2_t *error, void *context)
{
    if (depth == 0)
        snprintf(context, 256, "%s", error->desc ? error->desc : "unknown");
    return 0;
}

static bool fail_hdf5(strata_error *err, const char *what, const char *did)
{
    char why[256] = "no reason given";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_innermost, why);
    return strata_fail(err, STRATA_EFILE, "%s: %s: %s", what, did, why);
}

/* Each step of a path is asked for alone: HDF5 calls a missing parent an error, not an absence. */
static bool exists(hid_t file, const char *name)
{
    char part[1024];
    const size_t length = strlen(name);
    if (length == 0 || length >= sizeof part)
        return false;
    for (size_t i = 1; i <= length; i++) {
        if (i < length && name[i] != '/')
            continue;
        memcpy(part, name, i);
        part[i] = '\0';
        if (strcmp(part, "/") != 0 && H5Lexists(file, part, H5P_DEFAULT) <= 0)
            return false;
    }
    return true;
}

static herr_t add_name(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
    (void)group;
    (void)info;
    struct text *list = context;
    if (list->length < 300)
        strata_text_add(list, "%s%s", list->length ? ", " : "", name);
    return 0;
}

static bool fail_missing(hid_t file, const char *path, const char *name, strata_error *err)
{
    struct text list = { 0 };
    H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, NULL, add_name, &list);
    strata_fail(err, STRATA_EFILE, "%s: it has no dataset \"%s\"; it has %s", path, name,
                list.length ? list.data : "nothing");
    strata_text_free(&list);
    return false;
}

/* The type to read a dataset as: floats as float32, bytes as uint8, integers that fit as int32, the others as int64. */
static bool choose_type(hid_t type, strata_type *as, hid_t *memory, const char *what, strata_error *err)
{
    const H5T_class_t class = H5Tget_class(type);
    const size_t size = H5Tget_size(type);
    const bool is_unsigned = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE;
    if (class == H5T_FLOAT) {
        *as = STRATA_FLOAT32;
        *memory = H5T_NATIVE_FLOAT;
    } else if (class == H5T_INTEGER && is_unsigned && size == 1) {
        *as = STRATA_UINT8;
        *memory = H5T_NATIVE_UINT8;
    } else if (class == H5T_INTEGER && size + is_unsigned <= 4) {
        *as = STRATA_INT32;
        *memory = H5T_NATIVE_INT32;
    } else if (class == H5T_INTEGER && size + is_unsigned <= 8) {
        *as = STRATA_INT64;
        *memory = H5T_NATIVE_INT64;
    } else {
        return strata_fail(err, STRATA_EFILE, "%s: it does not hold numbers of a type that Strata reads (floats, and "
                           "integers of up to 63 bits)", what);
    }
    return true;
}

static bool is_chunked(hid_t dataset)
{
    const hid_t list = H5Dget_create_plist(dataset);
    const bool chunked = list >= 0 && H5Pget_layout(list) == H5D_CHUNKED;
    if (list >= 0) H5Pclose(list);
    return chunked;
}

/* A dataset that claims to lie outside of its file, or stores far less than its extents need, is not believed. Without
 * chunks it must store what it needs: HDF5 1.10 does not compare, and reads past the end of what it has. */
static bool believable(hid_t dataset, const char *path, const char *what, uint64_t need, strata_error *err)
{
    struct stat file;
    const uint64_t stored = H5Dget_storage_size(dataset);
    const haddr_t at = H5Dget_offset(dataset); /* undefined unless it is one piece */
    const uint64_t size = stat(path, &file) == 0 ? (uint64_t)file.st_size : 0;
    if (stored > size || (at != HADDR_UNDEF && at > size - stored))
        return strata_fail(err, STRATA_EFILE, "%s: it claims %llu bytes where the file, of %llu, has none: damaged",
                           what, (unsigned long long)stored, (unsigned long long)size);
    if (is_chunked(dataset) ? need > SMALL_BYTES && need / MOST_RATIO > stored : need != stored)
        return strata_fail(err, STRATA_EFILE, "%s: it needs %llu bytes but stores %llu: damaged, or never filled", what,
                           (unsigned long long)need, (unsigned long long)stored);
    return true;
}

static bool read_opened(hid_t dataset, hid_t type, hid_t space, const char *path, const char *what, struct rows *rows,
                        strata_error *err)
{
    hsize_t dim[H5S_MAX_RANK] = { 0 };
    uint64_t extent[H5S_MAX_RANK];
    hid_t memory = H5I_INVALID_HID;
    size_t bytes;
    const int rank = H5Sget_simple_extent_dims(space, dim, NULL);
    for (int i = 0; i < rank; i++)
        extent[i] = dim[i];
    if (!choose_type(type, &rows->column.type, &memory, what, err)
        || !strata_rows_shape(rows, rank, extent, strata_type_size(rows->column.type), &bytes, what, err)
        || !believable(dataset, path, what, bytes / strata_type_size(rows->column.type) * H5Tget_size(type), err)
        || !(rows->column.values = strata_alloc(bytes, 1, err)))
        return false;
    return H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows->column.values) >= 0
           || fail_hdf5(err, what, "cannot be read");
}

static bool read_array(hid_t file, const char *path, const char *name, struct rows *rows, strata_error *err)
{
    char what[512];
    snprintf(what, sizeof what, "%.300s: dataset \"%.150s\"", path, name);
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    const hid_t type = dataset >= 0 ? H5Dget_type(dataset) : H5I_INVALID_HID;
    const hid_t space = dataset >= 0 ? H5Dget_space(dataset) : H5I_INVALID_HID;
    const bool ok = dataset < 0 || type < 0 || space < 0
                        ? fail_hdf5(err, what, "cannot be opened")
                        : read_opened(dataset, type, space, path, what, rows, err);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (dataset >= 0)
        H5Dclose(dataset);
    return ok;
}

static bool read_arrays(hid_t file, const char *path, const struct names *names, struct arrays *arrays,
                        strata_error *err)
{
    for (int which = 0; which < ARRAY_COUNT; which++) {
        const char *name = strata_names_get(names, which);
        if (exists(file, name)) {
            if (!read_array(file, path, name, strata_arrays_get(arrays, which), err))
                return false;
        } else if (!strata_names_optional(names, which)) {
            return fail_missing(file, path, name, err);
        }
    }
    return true;
}

bool strata_read_hdf5(const char *path, const struct names *names, struct arrays *arrays, strata_error *err)
{
    H5E_auto2_t print;
    void *context;
    H5Eget_auto2(H5E_DEFAULT, &print, &context);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* errors become messages of ours, not text on stderr */
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const bool ok = file < 0 ? fail_hdf5(err, path, "cannot be opened as HDF5")
                             : read_arrays(file, path, names, arrays, err);
    if (file >= 0)
        H5Fclose(file);
    H5Eset_auto2(H5E_DEFAULT, print, context);
    return ok;
}
