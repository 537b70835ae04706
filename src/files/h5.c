/* Opening and reading. */
#include "files/h5.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/h5_check.h"
#include "files/h5_priv.h"

/* Deflate cannot expand by more than this, and no other compression has been seen in Keras files. */
enum { MOST_EXPANSION = 1032 };

/* Groups in groups beyond this are no file of Keras. */
enum { DEEPEST = 64 };

/* ---- errors ---- */

static herr_t innermost(unsigned n, const H5E_error2_t *error, void *at)
{
    const char **words = at;
    if (n == 0 && error->desc) *words = error->desc;
    return 0;
}

bool strata_h5_fail(const struct h5 *file, strata_error *err, const char *format, ...)
{
    char message[600];
    const char *words = NULL;
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, &words);
    strata_fail(err, STRATA_EFILE, "%s: %s%s%s%s", file->what, message, words ? " (HDF5: " : "",
                words ? words : "", words ? ")" : "");
    H5Eclear2(H5E_DEFAULT);
    return false;
}

/* ---- files ---- */

const char *strata_h5_path(const char *path)
{
    return *path ? path : "/";
}

struct h5 *strata_h5_new(const char *what, strata_error *err)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5Eclear2(H5E_DEFAULT);
    struct h5 *file = strata_alloc(1, sizeof *file, err);
    if (!file) return NULL;
    file->id = H5I_INVALID_HID;
    file->what = strata_copy_text(what, err);
    if (file->what) return file;
    free(file);
    return NULL;
}

static struct h5 *open_with(struct h5 *file, const char *name, hid_t access, strata_error *err)
{
    if (access >= 0) {
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
#if H5_VERSION_GE(1, 10, 7)
        /* locks are missing on some cluster file systems, and files are replaced whole */
        H5Pset_file_locking(access, false, true);
#endif
        file->id = H5Fopen(name, H5F_ACC_RDONLY, access);
    }
    if (file->id >= 0 && H5Fget_filesize(file->id, &file->size) >= 0) return file;
    strata_h5_fail(file, err, "not an HDF5 file, or a damaged one");
    strata_h5_close(file);
    return NULL;
}

struct h5 *strata_h5_open(const char *path, strata_error *err)
{
    struct h5 *file = strata_h5_check_file(path, err) ? strata_h5_new(path, err) : NULL;
    if (!file) return NULL;
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    file = open_with(file, path, access, err);
    H5Pclose(access);
    return file;
}

struct h5 *strata_h5_open_image(const void *bytes, size_t size, const char *what, strata_error *err)
{
    struct h5 *file = strata_h5_check(bytes, size, what, err) ? strata_h5_new(what, err) : NULL;
    if (!file) return NULL;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    /* HDF5 copies the image, so what it may write to its copy never reaches the caller's bytes */
    if (H5Pset_fapl_core(access, 64 * 1024, false) < 0
        || H5Pset_file_image(access, (void *)bytes, size) < 0) {
        H5Pclose(access);
        access = H5I_INVALID_HID;
    }
    file = open_with(file, what, access, err);
    if (access >= 0) H5Pclose(access);
    return file;
}

void strata_h5_close(struct h5 *file)
{
    if (!file) return;
    if (file->id >= 0) H5Fclose(file->id);
    H5Eclear2(H5E_DEFAULT);
    free(file->what);
    free(file);
}

const char *strata_h5_what(const struct h5 *file)
{
    return file->what;
}

/* ---- finding ---- */

/* Whether every link on the way is there and stays in the file: soft and external links are not followed. */
static bool reachable(const struct h5 *file, const char *path)
{
    char part[1024];
    const size_t length = strlen(path);
    if (length >= sizeof part) return false;
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        memcpy(part, path, i);
        part[i] = '\0';
        H5L_info_t info;
        if (H5Lget_info(file->id, part, &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD) {
            H5Eclear2(H5E_DEFAULT);
            return false;
        }
    }
    return true;
}

bool strata_h5_has(const struct h5 *file, const char *path)
{
    return reachable(file, path);
}

static hid_t open_object(const struct h5 *file, const char *path, strata_error *err)
{
    if (!reachable(file, path)) {
        strata_h5_fail(file, err, "%s is missing", strata_h5_path(path));
        return H5I_INVALID_HID;
    }
    const hid_t object = H5Oopen(file->id, strata_h5_path(path), H5P_DEFAULT);
    if (object < 0) strata_h5_fail(file, err, "%s cannot be opened", strata_h5_path(path));
    return object;
}

bool strata_h5_has_attribute(const struct h5 *file, const char *object, const char *name)
{
    const bool has =
        reachable(file, object) && H5Aexists_by_name(file->id, strata_h5_path(object), name, H5P_DEFAULT) > 0;
    H5Eclear2(H5E_DEFAULT);
    return has;
}

struct listing {
    struct names *names;
    strata_error *err;
};

static herr_t list_one(hid_t group, const char *name, const H5L_info_t *info, void *at)
{
    (void)group;
    (void)info;
    struct listing *listing = at;
    return strata_names_add(listing->names, name, listing->err) ? 0 : -1;
}

bool strata_h5_children(const struct h5 *file, const char *group, struct names *names, strata_error *err)
{
    const hid_t object = open_object(file, group, err);
    if (object < 0) return false;
    struct listing listing = { names, err };
    const strata_code before = err->code;
    const bool ok = H5Iget_type(object) == H5I_GROUP
                    && H5Literate(object, H5_INDEX_NAME, H5_ITER_INC, NULL, list_one, &listing) >= 0;
    H5Oclose(object);
    if (!ok && err->code == before)
        strata_h5_fail(file, err, "%s is not a group that can be listed", strata_h5_path(group));
    return ok;
}

static H5I_type_t kind_of(const struct h5 *file, const char *path)
{
    const hid_t object = reachable(file, path) ? H5Oopen(file->id, strata_h5_path(path), H5P_DEFAULT) : -1;
    if (object < 0) {
        H5Eclear2(H5E_DEFAULT);
        return H5I_BADID;
    }
    const H5I_type_t kind = H5Iget_type(object);
    H5Oclose(object);
    return kind;
}

static bool collect_arrays(const struct h5 *file, const char *group, int depth, struct names *paths,
                           strata_error *err)
{
    struct names children = { 0 };
    bool ok = depth < DEEPEST || strata_h5_fail(file, err, "%s: groups are nested too deeply", group);
    ok = ok && strata_h5_children(file, group, &children, err);
    for (size_t i = 0; ok && i < children.count; i++) {
        char path[1024];
        const int length = snprintf(path, sizeof path, "%s%s%s", group, *group ? "/" : "", children.list[i]);
        if (length >= (int)sizeof path)
            ok = strata_h5_fail(file, err, "%s: a name in it is too long", strata_h5_path(group));
        else if (kind_of(file, path) == H5I_DATASET)
            ok = strata_names_add(paths, path, err);
        else if (kind_of(file, path) == H5I_GROUP)
            ok = collect_arrays(file, path, depth + 1, paths, err);
    }
    strata_names_release(&children);
    return ok;
}

bool strata_h5_arrays(const struct h5 *file, const char *group, struct names *paths, strata_error *err)
{
    return collect_arrays(file, group, 0, paths, err);
}

/* ---- arrays ---- */

struct array {
    hid_t set;
    H5T_class_t class;
    strata_shape shape;
    size_t count;
};

static bool read_extents(const struct h5 *file, const char *path, struct array *array, strata_error *err)
{
    hsize_t dims[H5S_MAX_RANK];
    const hid_t space = H5Dget_space(array->set);
    const int rank = space >= 0 && H5Sget_simple_extent_type(space) != H5S_NULL
                         ? H5Sget_simple_extent_dims(space, dims, NULL)
                         : -1;
    if (space >= 0) H5Sclose(space);
    const int most = (int)(sizeof array->shape.dim / sizeof *array->shape.dim);
    if (rank < 0 || rank > most)
        return strata_h5_fail(file, err, "%s has %d axes; at most %d are possible", path, rank, most);
    array->shape.rank = rank;
    array->count = 1;
    for (int i = 0; i < rank; i++) {
        if (dims[i] > SIZE_MAX / sizeof(float)
            || (dims[i] > 0 && array->count > SIZE_MAX / sizeof(float) / dims[i]))
            return strata_h5_fail(file, err, "%s: its extents are too large", path);
        array->shape.dim[i] = (size_t)dims[i];
        array->count *= (size_t)dims[i];
    }
    return true;
}

/* The file must be able to hold what the extents claim: in one piece byte for byte, in chunks perhaps compressed. */
static bool check_storage(const struct h5 *file, const char *path, const struct array *array, size_t element,
                          strata_error *err)
{
    const hid_t made = H5Dget_create_plist(array->set);
    const H5D_layout_t layout = made >= 0 ? H5Pget_layout(made) : H5D_LAYOUT_ERROR;
    const int elsewhere = made >= 0 ? H5Pget_external_count(made) : 0;
    if (made >= 0) H5Pclose(made);
    if (elsewhere != 0 || layout == H5D_LAYOUT_ERROR || layout == H5D_VIRTUAL)
        return strata_h5_fail(file, err, "%s is stored outside the file; such files are not read", path);
    const hsize_t stored = H5Dget_storage_size(array->set);
    const hsize_t most = layout == H5D_CHUNKED ? file->size * MOST_EXPANSION : stored;
    if (stored > file->size || array->count > most / element)
        return strata_h5_fail(file, err,
                              "%s claims %zu numbers of %zu bytes; the file holds %llu bytes of them", path,
                              array->count, element, (unsigned long long)stored);
    return true;
}

static void close_array(struct array *array)
{
    if (array->set >= 0) H5Dclose(array->set);
    array->set = H5I_INVALID_HID;
}

/* Opens an array of numbers and checks all about it; nothing is left open on failure. */
static bool open_array(const struct h5 *file, const char *path, struct array *array, strata_error *err)
{
    const hid_t object = open_object(file, path, err);
    array->set = H5I_INVALID_HID;
    if (object < 0) return false;
    if (H5Iget_type(object) != H5I_DATASET) {
        H5Oclose(object);
        return strata_h5_fail(file, err, "%s is not an array", path);
    }
    array->set = object;
    const hid_t type = H5Dget_type(object);
    array->class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    const size_t element = type >= 0 ? H5Tget_size(type) : 0;
    if (type >= 0) H5Tclose(type);
    bool ok = ((array->class == H5T_FLOAT || array->class == H5T_INTEGER) && element >= 1 && element <= 16)
              || strata_h5_fail(file, err, "%s is not an array of numbers", path);
    ok = ok && read_extents(file, path, array, err) && check_storage(file, path, array, element, err);
    if (!ok) close_array(array);
    return ok;
}

bool strata_h5_shape(const struct h5 *file, const char *path, strata_shape *shape, strata_error *err)
{
    struct array array;
    if (!open_array(file, path, &array, err)) return false;
    *shape = (strata_shape){ .rank = array.shape.rank };
    for (int i = 0; i < array.shape.rank; i++) shape->dim[i] = array.shape.dim[i];
    close_array(&array);
    return true;
}

bool strata_h5_floats(const struct h5 *file, const char *path, float *values, size_t count, strata_error *err)
{
    struct array array;
    if (!open_array(file, path, &array, err)) return false;
    bool ok = array.count == count
              || strata_h5_fail(file, err, "%s has %zu numbers; %zu are needed", path, array.count, count);
    ok = ok
         && (count == 0 || H5Dread(array.set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0
             || strata_h5_fail(file, err, "%s cannot be read", path));
    close_array(&array);
    return ok;
}

bool strata_h5_is_integer(const struct h5 *file, const char *path, bool *integer, strata_error *err)
{
    struct array array;
    if (!open_array(file, path, &array, err)) return false;
    *integer = array.class == H5T_INTEGER;
    close_array(&array);
    return true;
}

bool strata_h5_integer(const struct h5 *file, const char *path, int64_t *value, strata_error *err)
{
    struct array array;
    if (!open_array(file, path, &array, err)) return false;
    const bool ok = (array.count == 1 && array.class == H5T_INTEGER
                     && H5Dread(array.set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0)
                    || strata_h5_fail(file, err, "%s is not one integer", path);
    close_array(&array);
    return ok;
}
