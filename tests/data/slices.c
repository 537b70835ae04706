/* Sources that are larger than memory may hold: with "memory": 0 every one is, and gives what it gives from memory. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "data/batches.h"

#define FILES STRATA_SOURCE "/tests/data/files/"

static strata_data *opened(const char *source)
{
    strata_error err = { 0 };
    strata_data *data = strata_data_open(source, &err);
    cr_assert_not_null(data, "%s: %s", source, err.message);
    return data;
}

static double number_at(const strata_array *x, const void *values, size_t i)
{
    return x->type == STRATA_FLOAT32 ? (double)((const float *)values)[i]
           : x->type == STRATA_UINT8 ? ((const uint8_t *)values)[i]
                                     : ((const int32_t *)values)[i];
}

/* Element i of x is i % 100, whichever samples are asked for, in whichever order. */
static void holds_the_same(const char *source, bool streamed)
{
    strata_error err = { 0 };
    strata_data *data = opened(source);
    const strata_array x = strata_data_x(data);
    cr_assert(x.rank == 3 && x.dim[0] == 23 && x.dim[1] == 5 && x.dim[2] == 7, "%s", source);
    cr_assert_eq(x.values == NULL, streamed, "%s", source);
    for (uint32_t step = 1; step < 23; step += 3) {
        uint32_t rows[40];
        float values[40 * 35];
        for (uint32_t i = 0; i < 40; i++) rows[i] = (5 + i * step) % 23;
        cr_assert(strata_data_read_x(data, rows, 40, values, &err), "%s: %s", source, err.message);
        for (size_t i = 0; i < 40 * 35; i++)
            cr_assert_eq(number_at(&x, values, i), (rows[i / 35] * 35 + i % 35) % 100, "%s: row %u", source, rows[i / 35]);
    }
    strata_data_free(data);
}

static void holds_the_same_both_ways(const char *file, const char *array)
{
    char source[600];
    snprintf(source, sizeof source, "{\"source\": \"" FILES "%s\", \"x\": \"%s\"}", file, array);
    holds_the_same(source, false);
    snprintf(source, sizeof source, "{\"source\": \"" FILES "%s\", \"x\": \"%s\", \"memory\": 0}", file, array);
    holds_the_same(source, true);
}

Test(slices, hdf5_numbers_of_every_type_are_read)
{
    static const char *const kinds[] = { "u1", "i1", "<u2", ">i2", "<i4", ">u4", "<i8", ">i8", "<f2", "<f4", ">f4", "<f8",
                                         ">f8" };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char array[32];
        snprintf(array, sizeof array, "plain/%s", kinds[i]);
        holds_the_same_both_ways("kinds.h5", array);
        holds_the_same_both_ways("kinds_latest.h5", array);
    }
}

Test(slices, hdf5_chunks_of_every_cut_and_filter_are_read)
{
    static const char *const cuts[] = { "whole", "rows", "parts", "bare", "summed", "grown" };
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        char array[32];
        snprintf(array, sizeof array, "chunks/%s", cuts[i]);
        holds_the_same_both_ways("kinds.h5", array);
        holds_the_same_both_ways("kinds_latest.h5", array);
    }
}

static void refused(const char *array, const char *part)
{
    static const char *const files[] = { "kinds.h5", "kinds_latest.h5" };
    for (int i = 0; i < 2; i++) {
        char source[600];
        strata_error err = { 0 };
        snprintf(source, sizeof source, "{\"source\": \"" FILES "%s\", \"x\": \"%s\"}", files[i], array);
        cr_assert_null(strata_data_open(source, &err), "%s", source);
        cr_assert_not_null(strstr(err.message, part), "%s", err.message);
        cr_assert_eq(err.code, STRATA_EFILE);
    }
}

Test(slices, hdf5_arrays_that_hold_no_plain_numbers_are_refused)
{
    refused("partly", "chunk 1 of 6 is not there: damaged, or never filled");
    refused("squeezed", "compressed by filter 32000; Strata reads gzip, shuffle and fletcher32");
    refused("elsewhere", "no dataset \"elsewhere\"");
    refused("plain", "it is no array");
    refused("table", "type");
}

Test(slices, npz_is_unpacked_beside_memory)
{
    holds_the_same_both_ways("kinds.npz", "x");
}

static void same_batches(const char *a, const char *b)
{
    strata_error err = { 0 };
    strata_data *data[] = { opened(a), opened(b) };
    struct batches *batches[2];
    const struct share share = { .rank = 1, .size = 2 };
    cr_assert(strata_data_x(data[0]).values && !strata_data_x(data[1]).values);
    const size_t n = strata_data_count(data[0]);
    for (int i = 0; i < 2; i++) {
        const struct batches_config config = { .data = data[i], .global_batch = 3, .shuffle = true, .seed = 4,
                                               .y_type = STRATA_INT32 };
        cr_assert_not_null(batches[i] = strata_batches_start(&config, &share, 0, 0, &err), "%s", err.message);
    }
    for (size_t step = 0; step < 2 * ((n + 2) / 3); step++) {
        struct batch p, q;
        cr_assert(strata_batches_next(batches[0], &p, &err) && strata_batches_next(batches[1], &q, &err), "%s", err.message);
        const size_t each = strata_shape_count(&data[0]->x.shape) * strata_type_size(data[0]->x.type);
        cr_assert_eq(p.count, q.count);
        cr_assert_arr_eq(p.x, q.x, p.count * each);
        cr_assert_arr_eq(p.y, q.y, p.count * sizeof(int32_t));
    }
    for (int i = 0; i < 2; i++) {
        strata_batches_stop(batches[i]);
        strata_data_free(data[i]);
    }
}

Test(slices, batches_are_the_same_from_memory_and_from_files)
{
    static const uint8_t images[] = { 0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8 };
    static const uint8_t labels[] = { 0, 0, 8, 1, 0, 0, 0, 4, 7, 9, 1, 2 };
    FILE *file = fopen("images", "wb");
    gzFile packed = gzopen("images.gz", "wb");
    fwrite(images, 1, sizeof images, file);
    fclose(file);
    gzwrite(packed, images, sizeof images);
    gzclose(packed);
    file = fopen("labels", "wb");
    fwrite(labels, 1, sizeof labels, file);
    fclose(file);
    same_batches("idx:images,labels", "{\"source\": \"idx:images,labels\", \"memory\": 0}");
    same_batches("idx:images.gz,labels", "{\"source\": \"idx:images.gz,labels\", \"memory\": 0}");
    same_batches(FILES "iris.csv", "{\"source\": \"" FILES "iris.csv\", \"memory\": 0}");
    same_batches(FILES "named.h5", "{\"source\": \"" FILES "named.h5\", \"memory\": 0}");
    same_batches(FILES "named.npz", "{\"source\": \"" FILES "named.npz\", \"memory\": 0}");
}

Test(slices, a_file_that_shrinks_while_it_is_read_is_an_error)
{
    strata_error err = { 0 };
    uint8_t x[64];
    static const uint8_t images[] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4 };
    static const uint8_t labels[] = { 0, 0, 8, 1, 0, 0, 0, 2, 7, 9 };
    FILE *file = fopen("shrinking", "wb");
    fwrite(images, 1, sizeof images, file);
    fclose(file);
    file = fopen("labels2", "wb");
    fwrite(labels, 1, sizeof labels, file);
    fclose(file);
    strata_data *data = opened("{\"source\": \"idx:shrinking,labels2\", \"memory\": 0}");
    file = fopen("shrinking", "wb");
    fwrite(images, 1, 17, file);
    fclose(file);
    cr_assert_not(strata_data_read(data, 0, 2, x, &err));
    cr_assert_not_null(strstr(err.message, "shrinking: truncated"), "%s", err.message);
    strata_data_free(data);
}
