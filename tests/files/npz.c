/* Weights as .npz. */
#include "files/npz.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/archive.h"
#include "files/golden.h"
#include "files/zip.h"

TestSuite(npz, .init = own_folder);

static const char model_text[] =
    "[{\"Input\": {\"shape\": [2]}}, {\"Dense\": {\"units\": 3, \"name\": \"d\"}}]";

/* An .npz of entries "name", "header", numbers; as numpy.savez writes them but for the padding. */
static void write_npz(const char *const *names, const char *const *headers, const void *const *numbers,
                      const size_t *sizes, int count)
{
    strata_error err = { 0 };
    char entries[4][256];
    struct zip_writer *zip = strata_zip_create("m.npz", &err);
    for (int i = 0; i < count; i++) {
        const size_t header = strlen(headers[i]);
        memcpy(entries[i], "\x93NUMPY\x01\x00", 8);
        entries[i][8] = (char)header;
        entries[i][9] = 0;
        memcpy(entries[i] + 10, headers[i], header);
        memcpy(entries[i] + 10 + header, numbers[i], sizes[i]);
        cr_assert(strata_zip_put(zip, names[i], entries[i], 10 + header + sizes[i], &err), "%s", err.message);
    }
    cr_assert(strata_zip_commit(zip, &err), "%s", err.message);
    strata_zip_free(zip);
}

static bool load(strata_model **model, strata_error *err)
{
    *model = strata_model_from_json(model_text, err);
    cr_assert_not_null(*model, "%s", err->message);
    return strata_model_load_weights(*model, "m.npz", NULL, NULL, err);
}

Test(npz, numbered_arrays_go_in_the_order_of_model_weights)
{
    strata_error err = { 0 };
    const double kernel[6] = { 1, 2, 3, 4, 5, 6 };
    const float bias[3] = { 7, 8, 9 };
    const char *names[] = { "arr_1.npy", "arr_0.npy" };
    const char *headers[] = { "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n",
                              "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }\n" };
    const void *numbers[] = { bias, kernel };
    const size_t sizes[] = { sizeof bias, sizeof kernel };
    strata_model *model;
    float got[6];
    write_npz(names, headers, numbers, sizes, 2);
    cr_assert(load(&model, &err), "%s", err.message);
    cr_assert(strata_layer_get_weight(strata_model_layer(model, 0), 0, got, 6, &err));
    cr_assert_eq(got[5], 6);
    cr_assert(strata_layer_get_weight(strata_model_layer(model, 0), 1, got, 3, &err));
    cr_assert_eq(got[2], 9);
    strata_model_free(model);
}

Test(npz, headers_that_do_not_fit_their_bytes_are_refused)
{
    static const char *const bad[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 99999999999999999), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,2), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,2), }",
        "{'descr': '",
        "",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        strata_error err = { 0 };
        const float numbers[2] = { 1, 2 };
        const char *names[] = { "arr_0.npy" };
        const void *values[] = { numbers };
        const size_t sizes[] = { sizeof numbers };
        strata_model *model;
        write_npz(names, &bad[i], values, sizes, 1);
        cr_assert_not(load(&model, &err), "%s", bad[i]);
        cr_assert(strstr(err.message, "m.npz: array arr_0: "), "%s", err.message);
        strata_model_free(model);
    }
}
