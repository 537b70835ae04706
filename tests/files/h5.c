/* The HDF5 layer alone. What h5py writes is in the golden files. */
#include "files/h5.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/golden.h"

static struct h5 *reopened(struct h5 *made, void **bytes)
{
    strata_error err = { 0 };
    size_t size;
    cr_assert(strata_h5_image(made, false, bytes, &size, &err), "%s", err.message);
    strata_h5_close(made);
    struct h5 *file = strata_h5_open_image(*bytes, size, "image", &err);
    cr_assert_not_null(file, "%s", err.message);
    return file;
}

Test(h5, arrays_and_texts_come_back_as_they_were_put)
{
    strata_error err = { 0 };
    void *bytes;
    const float values[] = { 1.5f, -0.0f, INFINITY, 1e-45f, 3, 4 };
    const strata_shape shape = { .rank = 2, .dim = { 2, 3 } };
    struct names three = { 0 }, none = { 0 }, read = { 0 };
    cr_assert(strata_names_add(&three, "a", &err) && strata_names_add(&three, "", &err)
              && strata_names_add(&three, "ccc", &err));
    struct h5 *file = strata_h5_create("made", &err);
    cr_assert_not_null(file, "%s", err.message);
    cr_assert(strata_h5_put_floats(file, "a/b/values", &shape, values, &err), "%s", err.message);
    cr_assert(strata_h5_put_integer(file, "a/step", INT64_C(1) << 40, &err), "%s", err.message);
    cr_assert(strata_h5_put_text(file, "a", "name", "gr\xc3\xbc\xc3\x9f", true, &err), "%s", err.message);
    cr_assert(strata_h5_put_texts(file, "a", "three", &three, &err), "%s", err.message);
    cr_assert(strata_h5_put_texts(file, "", "none", &none, &err), "%s", err.message);
    file = reopened(file, &bytes);

    float back[6];
    strata_shape has;
    int64_t step;
    char *text;
    cr_assert(strata_h5_shape(file, "a/b/values", &has, &err), "%s", err.message);
    cr_assert(has.rank == 2 && has.dim[0] == 2 && has.dim[1] == 3);
    cr_assert(strata_h5_floats(file, "a/b/values", back, 6, &err), "%s", err.message);
    cr_assert_eq(memcmp(back, values, sizeof values), 0);
    cr_assert(strata_h5_integer(file, "a/step", &step, &err) && step == INT64_C(1) << 40);
    cr_assert(strata_h5_text(file, "a", "name", &text, &err));
    cr_assert_str_eq(text, "gr\xc3\xbc\xc3\x9f");
    free(text);
    cr_assert(strata_h5_texts(file, "a", "three", &read, &err) && read.count == 3);
    cr_assert_str_eq(read.list[2], "ccc");
    strata_names_release(&read);
    cr_assert(strata_h5_texts(file, "", "none", &read, &err) && read.count == 0);
    strata_h5_close(file);
    strata_names_release(&three);
    free(bytes);
}

Test(h5, a_list_too_long_for_one_attribute_is_split_as_keras_splits_it)
{
    strata_error err = { 0 };
    void *bytes;
    struct names many = { 0 }, read = { 0 };
    for (int i = 0; i < 3000; i++) {
        char name[64];
        snprintf(name, sizeof name, "a_layer_with_a_rather_long_name_%04d", i); /* 36 bytes: 108,000 in all */
        cr_assert(strata_names_add(&many, name, &err));
    }
    struct h5 *file = strata_h5_create("made", &err);
    cr_assert(strata_h5_put_texts(file, "", "layer_names", &many, &err), "%s", err.message);
    file = reopened(file, &bytes);
    cr_assert_not(strata_h5_has_attribute(file, "", "layer_names"));
    cr_assert(strata_h5_has_attribute(file, "", "layer_names1"));
    cr_assert_not(strata_h5_has_attribute(file, "", "layer_names2"));
    cr_assert(strata_h5_texts(file, "", "layer_names", &read, &err), "%s", err.message);
    cr_assert_eq(read.count, many.count);
    for (size_t i = 0; i < read.count; i++) cr_assert_str_eq(read.list[i], many.list[i]);
    strata_h5_close(file);
    strata_names_release(&read);
    strata_names_release(&many);
    free(bytes);
}

/* Files that only HDF5's own calls make: writes one with `fill` and opens it. */
static struct h5 *strange(void (*fill)(hid_t file))
{
    strata_error err = { 0 };
    const hid_t file = H5Fcreate("strange.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert(file >= 0);
    fill(file);
    H5Fclose(file);
    struct h5 *open = strata_h5_open("strange.h5", &err);
    cr_assert_not_null(open, "%s", err.message);
    return open;
}

TestSuite(strange_h5, .init = own_folder);

static void put(hid_t file, const char *name, hid_t type, const void *value)
{
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0);
    H5Dclose(set);
    H5Sclose(space);
}

static void fill_types(hid_t file)
{
    const double d = 0.1;
    const unsigned char b = 200;
    const long long l = -7;
    put(file, "double", H5T_NATIVE_DOUBLE, &d);
    put(file, "byte", H5T_NATIVE_UCHAR, &b);
    put(file, "long", H5T_NATIVE_LLONG, &l);
}

Test(strange_h5, numbers_of_any_kind_become_floats)
{
    strata_error err = { 0 };
    struct h5 *file = strange(fill_types);
    float value;
    cr_assert(strata_h5_floats(file, "double", &value, 1, &err) && value == 0.1f);
    cr_assert(strata_h5_floats(file, "byte", &value, 1, &err) && value == 200);
    cr_assert(strata_h5_floats(file, "long", &value, 1, &err) && value == -7);
    strata_h5_close(file);
}

static void fill_links(hid_t file)
{
    const float f = 1;
    put(file, "real", H5T_NATIVE_FLOAT, &f);
    H5Lcreate_soft("/real", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("/etc/passwd", "/", file, "external", H5P_DEFAULT, H5P_DEFAULT);
}

Test(strange_h5, links_that_lead_elsewhere_are_not_followed)
{
    strata_error err = { 0 };
    struct h5 *file = strange(fill_links);
    float value;
    cr_assert(strata_h5_floats(file, "real", &value, 1, &err));
    cr_assert_not(strata_h5_floats(file, "soft", &value, 1, &err));
    cr_assert_not(strata_h5_floats(file, "external", &value, 1, &err));
    cr_assert_str_eq(err.message, "strange.h5: external is missing");
    strata_h5_close(file);
}

static void fill_external(hid_t file)
{
    const hsize_t dims[1] = { 4 };
    const hid_t space = H5Screate_simple(1, dims, NULL), made = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(made, "/etc/passwd", 0, 16);
    H5Dclose(H5Dcreate2(file, "stolen", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, made, H5P_DEFAULT));
    H5Pclose(made);
    H5Sclose(space);
}

Test(strange_h5, numbers_stored_in_another_file_are_refused)
{
    strata_error err = { 0 };
    struct h5 *file = strange(fill_external);
    float values[4];
    cr_assert_not(strata_h5_floats(file, "stolen", values, 4, &err));
    cr_assert(strstr(err.message, "outside the file"), "%s", err.message);
    strata_h5_close(file);
}

static void fill_huge(hid_t file)
{
    const hsize_t dims[2] = { 1 << 20, 1 << 20 }, chunk[2] = { 1024, 1024 };
    const hid_t space = H5Screate_simple(2, dims, NULL), made = H5Pcreate(H5P_DATASET_CREATE);
    H5Dclose(H5Dcreate2(file, "huge", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, made, H5P_DEFAULT));
    H5Pset_chunk(made, 2, chunk);
    H5Pset_deflate(made, 9);
    H5Dclose(H5Dcreate2(file, "chunked", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, made, H5P_DEFAULT));
    H5Pclose(made);
    H5Sclose(space);
}

Test(strange_h5, extents_that_the_file_cannot_hold_are_refused)
{
    strata_error err = { 0 };
    struct h5 *file = strange(fill_huge);
    strata_shape shape;
    cr_assert_not(strata_h5_shape(file, "huge", &shape, &err));
    cr_assert(strstr(err.message, "claims 1099511627776 numbers"), "%s", err.message);
    cr_assert_not(strata_h5_shape(file, "chunked", &shape, &err));
    strata_h5_close(file);
}

static void fill_others(hid_t file)
{
    const hid_t text = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    const int number = 3;
    put(file, "text", text, "a");
    const hid_t attribute = H5Acreate2(file, "layer_names", H5T_NATIVE_INT, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_INT, &number);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(text);
}

Test(strange_h5, what_is_not_numbers_or_not_text_is_an_error)
{
    strata_error err = { 0 };
    struct h5 *file = strange(fill_others);
    struct names names = { 0 };
    float value;
    cr_assert_not(strata_h5_floats(file, "text", &value, 1, &err));
    cr_assert_str_eq(err.message, "strange.h5: text is not an array of numbers");
    cr_assert_not(strata_h5_texts(file, "", "layer_names", &names, &err));
    cr_assert_str_eq(err.message, "strange.h5: attribute layer_names of / is not text");
    strata_h5_close(file);
}

Test(h5, a_file_that_is_none_is_an_error)
{
    strata_error err = { 0 };
    cr_assert_null(strata_h5_open("/no/such/file.h5", &err));
    cr_assert_eq(err.code, STRATA_EFILE);
    cr_assert_null(strata_h5_open_image("hello", 5, "greeting", &err));
    cr_assert(strstr(err.message, "greeting: not an HDF5 file"), "%s", err.message);
}

static void check_folder(const char *folder)
{
    struct dirent **list;
    const int count = scandir(folder, &list, NULL, alphasort);
    cr_assert_gt(count, 0, "%s cannot be listed", folder);
    for (int i = 0; i < count; i++) {
        char path[1024];
        strata_error err = { 0 };
        const char *end = strrchr(list[i]->d_name, '.');
        snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
        if (end && (strcmp(end, ".h5") == 0 || strcmp(end, ".hdf5") == 0)) {
            struct h5 *file = strata_h5_open(path, &err);
            struct names arrays = { 0 };
            cr_assert_not_null(file, "%s", err.message);
            cr_assert(strata_h5_arrays(file, "", &arrays, &err) && arrays.count > 0, "%s", err.message);
            for (size_t k = 0; k < arrays.count; k++) {
                strata_shape shape;
                cr_assert(strata_h5_shape(file, arrays.list[k], &shape, &err), "%s", err.message);
            }
            strata_names_release(&arrays);
            strata_h5_close(file);
        }
        free(list[i]);
    }
    free(list);
}

/* Keras 2.0.5's, today's Kerases', gzip-compressed ones: the check of damage must let all of them pass. */
Test(h5, files_that_h5py_wrote_are_all_believed, .timeout = 120)
{
    check_folder(STRATA_GOLDEN "/files");
    check_folder(STRATA_GOLDEN "/layers");
    check_folder(STRATA_GOLDEN "/training");
}
