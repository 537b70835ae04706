/* Writing into memory. What is written has no times in it, so that the same model gives the same bytes. */
#include "files/h5.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "files/h5_priv.h"

static struct h5 *create(const char *what, bool in_memory, strata_error *err)
{
    struct h5 *file = strata_h5_new(what, err);
    if (!file) return NULL;
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS), made = H5Pcreate(H5P_FILE_CREATE);
#if H5_VERSION_GE(1, 10, 7)
    if (!in_memory) H5Pset_file_locking(access, false, true); /* locks are missing on some cluster file systems */
#endif
    if (access >= 0 && made >= 0 && (!in_memory || H5Pset_fapl_core(access, 1024 * 1024, false) >= 0)
        && H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 && H5Pset_obj_track_times(made, false) >= 0)
        file->id = H5Fcreate(what, H5F_ACC_TRUNC, made, access);
    H5Pclose(made);
    H5Pclose(access);
    if (file->id >= 0) return file;
    strata_h5_fail(file, err, in_memory ? "no HDF5 file can be made in memory" : "no HDF5 file can be made");
    strata_h5_close(file);
    return NULL;
}

struct h5 *strata_h5_create(const char *what, strata_error *err)
{
    return create(what, true, err);
}

struct h5 *strata_h5_create_file(const char *path, strata_error *err)
{
    return create(path, false, err);
}

static bool exists(const struct h5 *file, const char *path)
{
    return H5Lexists(file->id, path, H5P_DEFAULT) > 0;
}

static bool put_one_group(struct h5 *file, const char *path, strata_error *err)
{
    if (exists(file, path)) return true;
    const hid_t made = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(made, false);
    const hid_t group = H5Gcreate2(file->id, path, H5P_DEFAULT, made, H5P_DEFAULT);
    H5Pclose(made);
    if (group < 0) return strata_h5_fail(file, err, "group %s cannot be made", path);
    H5Gclose(group);
    return true;
}

bool strata_h5_put_group(struct h5 *file, const char *path, strata_error *err)
{
    char *part = strata_copy_text(path, err);
    bool ok = part != NULL;
    for (size_t i = 1; ok && path[0] != '\0'; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        part[i] = '\0';
        ok = put_one_group(file, part, err);
        part[i] = path[i];
        if (path[i] == '\0') break;
    }
    free(part);
    return ok;
}

static bool put_parent(struct h5 *file, const char *path, strata_error *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return true;
    char *parent = strata_copy_bytes(path, (size_t)(slash - path), err);
    const bool ok = parent && strata_h5_put_group(file, parent, err);
    free(parent);
    return ok;
}

/* Without values: `placed` says whether it has its place in the file nevertheless. */
static bool put_array(struct h5 *file, const char *path, const strata_shape *shape, hid_t stored,
                      hid_t memory, const void *values, bool placed, strata_error *err)
{
    hsize_t dims[sizeof shape->dim / sizeof *shape->dim];
    bool empty = false;
    for (int i = 0; i < shape->rank; i++) {
        dims[i] = shape->dim[i];
        empty = empty || dims[i] == 0;
    }
    if (!put_parent(file, path, err)) return false;
    const hid_t space = shape->rank > 0 ? H5Screate_simple(shape->rank, dims, NULL) : H5Screate(H5S_SCALAR);
    const hid_t made = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(made, false);
    if (placed) H5Pset_alloc_time(made, H5D_ALLOC_TIME_EARLY);
    const hid_t set = H5Dcreate2(file->id, path, stored, space, H5P_DEFAULT, made, H5P_DEFAULT);
    const bool ok = set >= 0 && (empty || !values || H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    if (set >= 0) H5Dclose(set);
    H5Pclose(made);
    H5Sclose(space);
    return ok || strata_h5_fail(file, err, "%s cannot be written", path);
}

bool strata_h5_put_floats(struct h5 *file, const char *path, const strata_shape *shape, const float *values,
                          strata_error *err)
{
    return put_array(file, path, shape, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, values, false, err);
}

bool strata_h5_put_empty(struct h5 *file, const char *path, const strata_shape *shape, strata_error *err)
{
    return put_array(file, path, shape, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, NULL, false, err);
}

bool strata_h5_put_place(struct h5 *file, const char *path, const strata_shape *shape, strata_error *err)
{
    return put_array(file, path, shape, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, NULL, true, err);
}

bool strata_h5_put_rows(struct h5 *file, const char *path, size_t first, size_t count, const float *values,
                        strata_error *err)
{
    hsize_t from[H5S_MAX_RANK] = { first }, dims[H5S_MAX_RANK];
    const hid_t set = H5Dopen2(file->id, path, H5P_DEFAULT), all = set >= 0 ? H5Dget_space(set) : H5I_INVALID_HID;
    const int rank = all >= 0 ? H5Sget_simple_extent_dims(all, dims, NULL) : 0;
    dims[0] = count;
    const hid_t some = rank > 0 ? H5Screate_simple(rank, dims, NULL) : H5I_INVALID_HID;
    const bool ok = some >= 0 && H5Sselect_hyperslab(all, H5S_SELECT_SET, from, NULL, dims, NULL) >= 0
                    && H5Dwrite(set, H5T_NATIVE_FLOAT, some, all, H5P_DEFAULT, values) >= 0;
    if (some >= 0) H5Sclose(some);
    if (all >= 0) H5Sclose(all);
    if (set >= 0) H5Dclose(set);
    return ok || strata_h5_fail(file, err, "%s cannot be written", path);
}

bool strata_h5_flush(struct h5 *file, strata_error *err)
{
    return H5Fflush(file->id, H5F_SCOPE_GLOBAL) >= 0 || strata_h5_fail(file, err, "the file cannot be finished");
}

bool strata_h5_put_integer(struct h5 *file, const char *path, int64_t value, strata_error *err)
{
    const strata_shape scalar = { .rank = 0 };
    return put_array(file, path, &scalar, H5T_STD_I64LE, H5T_NATIVE_INT64, &value, false, err);
}

bool strata_h5_address(const struct h5 *file, const char *path, uint64_t *at, strata_error *err)
{
    const hid_t set = H5Dopen2(file->id, path, H5P_DEFAULT);
    const haddr_t address = set >= 0 ? H5Dget_offset(set) : HADDR_UNDEF;
    *at = address == HADDR_UNDEF ? UINT64_MAX : address;
    if (set >= 0) H5Dclose(set);
    return set >= 0 || strata_h5_fail(file, err, "%s cannot be found", path);
}

bool strata_h5_image(struct h5 *file, bool lasts, void **bytes, size_t *size, strata_error *err)
{
    *bytes = NULL;
    const ssize_t need =
        H5Fflush(file->id, H5F_SCOPE_GLOBAL) >= 0 ? H5Fget_file_image(file->id, NULL, 0) : -1;
    if (need <= 0) return strata_h5_fail(file, err, "the HDF5 file in memory cannot be finished");
    *bytes = strata_alloc_pages((size_t)need, !lasts, err);
    if (!*bytes) return false;
    *size = (size_t)need;
    if (H5Fget_file_image(file->id, *bytes, *size) == need) return true;
    free(*bytes);
    *bytes = NULL;
    return strata_h5_fail(file, err, "the HDF5 file in memory cannot be copied");
}
