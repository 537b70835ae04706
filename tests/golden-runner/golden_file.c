#include "golden_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

hid_t golden_open(const char *path)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
}

bool golden_has(hid_t file, const char *name)
{
    char part[128];
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - name), name);
        if (H5Lexists(file, part, H5P_DEFAULT) <= 0) return false;
    }
    return H5Lexists(file, name, H5P_DEFAULT) > 0;
}

bool golden_has_attr(hid_t file, const char *name)
{
    return H5Aexists(file, name) > 0;
}

static char *read_text(hid_t attr)
{
    char *text = NULL;
    const hid_t type = H5Aget_type(attr);
    if (H5Tis_variable_str(type) > 0) {
        char *read = NULL;
        if (H5Aread(attr, type, &read) >= 0 && read) {
            text = strdup(read);
            H5free_memory(read);
        }
    } else if (H5Tget_class(type) == H5T_STRING) {
        const size_t length = H5Tget_size(type);
        text = calloc(length + 1, 1);
        if (text && H5Aread(attr, type, text) < 0) text[0] = '\0';
    }
    H5Tclose(type);
    return text;
}

char *golden_dataset_attr(hid_t file, const char *dataset, const char *name)
{
    if (H5Aexists_by_name(file, dataset, name, H5P_DEFAULT) <= 0) return NULL;
    const hid_t attr = H5Aopen_by_name(file, dataset, name, H5P_DEFAULT, H5P_DEFAULT);
    char *text = read_text(attr);
    H5Aclose(attr);
    return text;
}

char *golden_attr(hid_t file, const char *name)
{
    return golden_dataset_attr(file, ".", name);
}

long golden_attr_int(hid_t file, const char *group, const char *name)
{
    long value = 0;
    if (H5Aexists_by_name(file, group, name, H5P_DEFAULT) <= 0) return 0;
    const hid_t attr = H5Aopen_by_name(file, group, name, H5P_DEFAULT, H5P_DEFAULT);
    H5Aread(attr, H5T_NATIVE_LONG, &value);
    H5Aclose(attr);
    return value;
}

static double finite_attr(hid_t dataset, const char *name)
{
    double value = 0;
    if (H5Aexists(dataset, name) <= 0) return 0;
    const hid_t attr = H5Aopen(dataset, name, H5P_DEFAULT);
    H5Aread(attr, H5T_NATIVE_DOUBLE, &value);
    H5Aclose(attr);
    return isfinite(value) ? value : 0;
}

static bool read_shape(hid_t dataset, struct shape *shape)
{
    hsize_t dims[H5S_MAX_RANK] = { 0 };
    const hid_t space = H5Dget_space(dataset);
    const int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    H5Sclose(space);
    shape->rank = rank;
    for (int i = 0; i < rank && i < STRATA_MAX_RANK; i++) shape->dim[i] = (size_t)dims[i];
    return rank >= 0 && rank <= STRATA_MAX_RANK;
}

bool golden_read(hid_t file, const char *name, struct golden_array *array)
{
    *array = (struct golden_array){ 0 };
    if (!golden_has(file, name)) return false;
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    bool ok = dataset >= 0 && read_shape(dataset, &array->shape);
    if (ok) {
        const hid_t type = H5Dget_type(dataset);
        array->integer = H5Tget_class(type) == H5T_INTEGER;
        H5Tclose(type);
        array->count = strata_shape_count(&array->shape);
        array->f64_dev = finite_attr(dataset, "f64_dev");
        array->tolerance = finite_attr(dataset, "tolerance");
        void *data = calloc(array->count + 1, 4);
        ok = data
             && H5Dread(dataset, array->integer ? H5T_NATIVE_INT : H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL,
                        H5P_DEFAULT, data)
                    >= 0;
        array->ints = array->integer ? data : NULL;
        array->values = array->integer ? NULL : data;
    }
    if (dataset >= 0) H5Dclose(dataset);
    return ok;
}

bool golden_as_float(struct golden_array *array)
{
    if (!array->integer) return true;
    array->values = calloc(array->count + 1, sizeof *array->values);
    for (size_t i = 0; array->values && i < array->count; i++) array->values[i] = (float)array->ints[i];
    free(array->ints);
    array->ints = NULL;
    array->integer = false;
    return array->values != NULL;
}

void golden_free(struct golden_array *array)
{
    free(array->values);
    free(array->ints);
    *array = (struct golden_array){ 0 };
}

static double tolerance_of(const struct golden_array *expected)
{
    double largest = 1;
    if (expected->tolerance > 0) return expected->tolerance;
    for (size_t i = 0; i < expected->count; i++) largest = fmax(largest, fabs(expected->values[i]));
    return fmax(1e-5 * largest, 20 * expected->f64_dev);
}

bool golden_close(const char *what, const float *got, const struct golden_array *expected, bool exact,
                  char *message, size_t size)
{
    const double tolerance = exact ? 0 : tolerance_of(expected);
    size_t first = expected->count, wrong = 0;
    double worst = 0;
    for (size_t i = 0; i < expected->count; i++) {
        const double off = fabs((double)got[i] - expected->values[i]);
        if (off <= tolerance) continue;
        wrong++;
        worst = fmax(worst, isnan(off) ? INFINITY : off);
        if (first == expected->count) first = i;
    }
    if (wrong == 0) return true;
    int used = snprintf(message, size, "%s[", what);
    size_t rest = first, below = expected->count;
    for (int axis = 0; axis < expected->shape.rank; axis++) {
        below /= expected->shape.dim[axis];
        used += snprintf(message + used, size - (size_t)used, "%s%zu", axis ? ", " : "", rest / below);
        rest %= below;
    }
    snprintf(message + used, size - (size_t)used,
             "] is %.9g, Keras has %.9g (tolerance %.2g; %zu of %zu differ, by up to %.3g)",
             (double)got[first], (double)expected->values[first], tolerance, wrong, expected->count, worst);
    return false;
}
