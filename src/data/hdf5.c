/* Datasets x, y and sample_weight of an HDF5 file. */
#include "data/hdf5_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Each step of a path is asked for alone: HDF5 calls a missing parent an error, not an absence. A link to another file is
 * none to follow. */
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
        H5L_info_t link;
        if (strcmp(part, "/") != 0
            && (H5Lexists(file, part, H5P_DEFAULT) <= 0 || H5Lget_info(file, part, &link, H5P_DEFAULT) < 0
                || (link.type != H5L_TYPE_HARD && link.type != H5L_TYPE_SOFT)))
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

/* ---- one array ----------------------------------------------------------------------------------------------------- */

/* A dataset that stores far less than its extents need is not believed. */
static bool believable(const struct h5_array *a, uint64_t need, strata_error *err)
{
    const uint64_t stored = H5Dget_storage_size(a->dataset);
    if (stored > a->map->size)
        return strata_fail(err, STRATA_EFILE, "%s: it claims %llu bytes where the file, of %llu, has none: damaged",
                           a->what, (unsigned long long)stored, (unsigned long long)a->map->size);
    if (a->layout.kind == H5_CHUNKED ? need > SMALL_BYTES && need / MOST_RATIO > stored : need != stored)
        return strata_fail(err, STRATA_EFILE, "%s: it needs %llu bytes but stores %llu: damaged, or never filled",
                           a->what, (unsigned long long)need, (unsigned long long)stored);
    return true;
}

static bool read_chunking(struct h5_array *a, hid_t list, strata_error *err)
{
    hsize_t chunk[H5S_MAX_RANK];
    a->filters = H5Pget_nfilters(list);
    if (H5Pget_chunk(list, a->rank, chunk) != a->rank || a->filters < 0 || a->filters > STRATA_MOST_FILTERS)
        return fail_hdf5(err, a->what, "its chunks cannot be read");
    for (int i = 0; i < a->rank; i++) a->chunk[i] = chunk[i];
    for (int i = 0; i < a->filters; i++) {
        unsigned flags;
        size_t values = 0;
        a->filter[i] = H5Pget_filter2(list, (unsigned)i, &flags, &values, NULL, 0, NULL, NULL);
        if (a->filter[i] != H5Z_FILTER_DEFLATE && a->filter[i] != H5Z_FILTER_SHUFFLE
            && a->filter[i] != H5Z_FILTER_FLETCHER32)
            return strata_fail(err, STRATA_EFILE, "%s: it is compressed by filter %d; Strata reads gzip, shuffle and "
                               "fletcher32; h5repack -f GZIP=4 makes a file that it reads", a->what, a->filter[i]);
    }
    return true;
}

/* Of objects of the newer kind, whose checksums HDF5 compared. */
static bool ask_layout(struct h5_array *a, hid_t list, strata_error *err)
{
    const H5D_layout_t kind = H5Pget_layout(list);
    const haddr_t at = kind == H5D_CONTIGUOUS ? H5Dget_offset(a->dataset) : HADDR_UNDEF;
    if (kind == H5D_COMPACT)
        a->layout.kind = H5_COMPACT;
    else if (kind == H5D_CONTIGUOUS && H5Pget_external_count(list) == 0)
        a->layout.kind = H5_CONTIGUOUS;
    else if (kind == H5D_CHUNKED)
        a->layout.kind = H5_CHUNKED;
    else
        return strata_fail(err, STRATA_EFILE, "%s: its numbers lie in other files, which are not read", a->what);
    a->layout.at = at;
    a->layout.size = H5Dget_storage_size(a->dataset);
    return true;
}

static bool describe(struct h5_array *a, struct rows *rows, strata_error *err)
{
    hsize_t dim[H5S_MAX_RANK] = { 0 };
    size_t bytes;
    const hid_t type = H5Dget_type(a->dataset), space = H5Dget_space(a->dataset), list = H5Dget_create_plist(a->dataset);
    bool ok = type >= 0 && space >= 0 && list >= 0 ? strata_hdf5_number(type, &a->number, a->what, err)
                                                   : fail_hdf5(err, a->what, "cannot be opened");
    a->rank = ok ? H5Sget_simple_extent_dims(space, dim, NULL) : 0;
    for (int i = 0; ok && i < a->rank && i < STRATA_MAX_RANK; i++) a->dim[i] = dim[i];
    a->as = rows->column.type = strata_number_type(&a->number);
    ok = ok && strata_rows_shape(rows, a->rank, a->dim, a->number.size, &bytes, a->what, err)
         && (a->layout.known || ask_layout(a, list, err)) && believable(a, bytes, err)
         && (a->layout.kind != H5_CHUNKED || read_chunking(a, list, err));
    if (list >= 0) H5Pclose(list);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    return ok;
}

/* An array within its own header is small, and HDF5 has it already. */
static bool read_compact(const struct h5_array *a, struct rows *rows, strata_error *err)
{
    const hid_t memory = a->as == STRATA_FLOAT32 ? H5T_NATIVE_FLOAT
                         : a->as == STRATA_UINT8 ? H5T_NATIVE_UINT8
                         : a->as == STRATA_INT32 ? H5T_NATIVE_INT32
                                                 : H5T_NATIVE_INT64;
    const size_t count = rows->count * strata_shape_count(&rows->column.shape);
    rows->column.values = strata_alloc(count, strata_type_size(a->as), err);
    return rows->column.values
           && (H5Dread(a->dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows->column.values) >= 0
               || fail_hdf5(err, a->what, "cannot be read"));
}

static struct stream *open_flat(const struct h5_array *a, size_t each, strata_error *err)
{
    const int file = open(a->path, O_RDONLY | O_CLOEXEC);
    if (a->layout.at <= a->map->size && a->layout.size <= a->map->size - a->layout.at && file >= 0)
        return strata_flat_open(file, a->layout.at, &a->number, each, a->as, a->what, err);
    if (file >= 0) close(file);
    strata_fail(err, STRATA_EFILE, "%s: its numbers are beyond the end of the file: damaged", a->what);
    return NULL;
}

static bool take(struct h5_array *a, int which, struct arrays *arrays, strata_error *err)
{
    struct rows *rows = strata_arrays_get(arrays, which);
    if (!describe(a, rows, err)) return false;
    if (a->layout.kind == H5_COMPACT || rows->count == 0) return read_compact(a, rows, err);
    const size_t each = strata_shape_count(&rows->column.shape);
    if (which == ARRAY_X && a->as == STRATA_INT64 && rows->count * each > arrays->memory / 8)
        a->as = rows->column.type = STRATA_INT32;
    struct stream *stream = a->layout.kind == H5_CHUNKED ? strata_hdf5_chunks_open(a, err) : open_flat(a, each, err);
    if (which == ARRAY_X) return strata_arrays_take_x(arrays, stream, err);
    return stream && strata_rows_load(rows, stream, err);
}

/* The header is looked at before HDF5 is let near it. */
static bool open_array(hid_t file, const char *name, struct h5_array *a, strata_error *err)
{
    H5O_info_t info;
    if (H5Oget_info_by_name2(file, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0)
        return fail_hdf5(err, a->what, "cannot be opened");
    if (info.type != H5O_TYPE_DATASET) return strata_fail(err, STRATA_EFILE, "%s: it is no array", a->what);
    if (!strata_h5_check_array(a->map, info.addr, &a->layout, err)) return false;
    a->dataset = H5Dopen2(file, name, H5P_DEFAULT);
    return a->dataset >= 0 || fail_hdf5(err, a->what, "cannot be opened");
}

static bool read_array(hid_t file, const struct h5_map *map, const char *name, int which, struct arrays *arrays,
                       strata_error *err)
{
    char what[512];
    struct h5_array a = { .path = map->path, .what = what, .map = map, .dataset = H5I_INVALID_HID };
    snprintf(what, sizeof what, "%.300s: dataset \"%.150s\"", map->path, name);
    const bool ok = open_array(file, name, &a, err) && take(&a, which, arrays, err);
    if (a.dataset >= 0) H5Dclose(a.dataset);
    return ok;
}

static bool read_arrays(hid_t file, const struct h5_map *map, const struct names *names, struct arrays *arrays,
                        strata_error *err)
{
    for (int which = 0; which < ARRAY_COUNT; which++) {
        const char *name = strata_names_get(names, which);
        if (exists(file, name)) {
            if (!read_array(file, map, name, which, arrays, err)) return false;
        } else if (!strata_names_optional(names, which)) {
            return fail_missing(file, map->path, name, err);
        }
    }
    return true;
}

static bool read_file(const struct h5_map *map, const struct names *names, struct arrays *arrays, strata_error *err)
{
    H5E_auto2_t print;
    void *context;
    if (!strata_h5_check_groups(map, err)) return false;
    H5Eget_auto2(H5E_DEFAULT, &print, &context);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* errors become messages of ours, not text on stderr */
    const hid_t file = H5Fopen(map->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const bool ok = file < 0 ? fail_hdf5(err, map->path, "cannot be opened as HDF5")
                             : read_arrays(file, map, names, arrays, err);
    if (file >= 0) H5Fclose(file);
    H5Eset_auto2(H5E_DEFAULT, print, context);
    return ok;
}

bool strata_read_hdf5(const char *path, const struct names *names, struct arrays *arrays, strata_error *err)
{
    struct h5_map map = { 0 };
    const bool ok = strata_h5_map_open(&map, path, err) && read_file(&map, names, arrays, err);
    strata_h5_map_close(&map);
    return ok;
}
