#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "data/dataset.h"

#define FILES STRATA_SOURCE "/tests/data/files/"
#define FASHION "/usr/share/datasets/fashion-mnist/"

static strata_data *opened(const char *source)
{
    strata_error err = { 0 };
    strata_data *data = strata_data_open(source, &err);
    cr_assert_not_null(data, "%s", err.message);
    return data;
}

static void refused(const char *source, strata_code code, const char *part)
{
    strata_error err = { 0 };
    cr_assert_null(strata_data_open(source, &err), "%s", source);
    cr_assert_not_null(strstr(err.message, part), "%s", err.message);
    cr_assert_eq(err.code, code, "%s", err.message);
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* ---- Fashion-MNIST, as its README describes it: 60000 and 10000 images of 28 x 28, each class a tenth ---- */

static void is_fashion(const char *source, size_t count)
{
    strata_data *data = opened(source);
    const strata_array x = strata_data_x(data), y = strata_data_y(data);
    size_t of_class[10] = { 0 };
    cr_assert_eq(strata_data_count(data), count);
    cr_assert_eq(x.type, STRATA_UINT8);
    cr_assert_eq(x.rank, 4);
    cr_assert(x.dim[0] == count && x.dim[1] == 28 && x.dim[2] == 28 && x.dim[3] == 1);
    cr_assert(y.rank == 1 && y.dim[0] == count);
    for (size_t i = 0; i < count; i++)
        of_class[((const uint8_t *)y.values)[i]]++;
    for (int i = 0; i < 10; i++)
        cr_assert_eq(of_class[i], count / 10);
    cr_assert_float_eq(strata_data_scale(data), 1.0 / 255, 1e-9);
    cr_assert_str_eq(strata_data_name(data), source);
    strata_data_free(data);
}

Test(sources, fashion_mnist_holds_60000_images_to_train_on_and_10000_to_test_with)
{
    is_fashion("fashion-mnist:train", 60000);
    is_fashion("fashion-mnist:test", 10000);
    refused("fashion-mnist:validation", STRATA_EJOB, "\"train\" and \"test\"");
}

Test(sources, fashion_mnist_has_the_first_labels_and_the_mean_that_are_published)
{
    /* ankle boot, t-shirt, t-shirt, dress, t-shirt; pixel mean 0.2860 */
    static const uint8_t first[] = { 9, 0, 0, 3, 0 };
    strata_data *data = opened("fashion-mnist:train");
    const strata_array x = strata_data_x(data);
    double sum = 0;
    cr_assert_arr_eq(strata_data_y(data).values, first, sizeof first);
    for (size_t i = 0; i < 60000u * 784; i++)
        sum += ((const uint8_t *)x.values)[i];
    cr_assert_float_eq(sum / (60000.0 * 784) / 255, 0.2860, 5e-5);
    strata_data_free(data);
}

/* ---- idx files that are not what they should be ---- */

static const uint8_t two_images[] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6 };
static const uint8_t two_labels[] = { 0, 0, 8, 1, 0, 0, 0, 2, 7, 9 };

Test(sources, plain_idx_files_are_read_as_they_are)
{
    write_file("plain-images", two_images, sizeof two_images);
    write_file("plain-labels", two_labels, sizeof two_labels);
    strata_data *data = opened("idx:plain-images,plain-labels");
    const strata_array x = strata_data_x(data);
    cr_assert(x.dim[0] == 2 && x.dim[1] == 1 && x.dim[2] == 3 && x.dim[3] == 1);
    cr_assert_arr_eq(x.values, two_images + 16, 6);
    cr_assert_arr_eq(strata_data_y(data).values, two_labels + 8, 2);
    strata_data_free(data);
}

static void same_pair(const char *source)
{
    strata_data *data = opened(source);
    cr_assert_eq(strata_data_count(data), 2);
    cr_assert_arr_eq(strata_data_x(data).values, two_images + 16, 6, "%s", source);
    strata_data_free(data);
}

/* RFC 1952, 2.2: a gzip file is one member or several, whose contents follow each other. */
Test(sources, idx_files_of_one_gzip_member_or_of_two_are_read_alike)
{
    const size_t half = 18;
    write_file("members-labels", two_labels, sizeof two_labels);
    gzFile gz = gzopen("one.gz", "wb");
    gzwrite(gz, two_images, sizeof two_images);
    gzclose(gz);
    gz = gzopen("two.gz", "wb");
    gzwrite(gz, two_images, half);
    gzclose(gz);
    gz = gzopen("two.gz", "ab");
    gzwrite(gz, two_images + half, sizeof two_images - half);
    gzclose(gz);
    same_pair("idx:one.gz,members-labels");
    same_pair("idx:two.gz,members-labels");
}

static strata_data *opened_for_later(const char *source)
{
    strata_error err = { 0 };
    json_t *json = json_string(source);
    strata_data *data = strata_data_open_json(json, true, &err);
    cr_assert(data, "%s", err.message);
    json_decref(json);
    return data;
}

/* Unpacked while others do what does not need it yet, it is the same data, whole and in parts. */
Test(sources, idx_files_may_come_later)
{
    const char *source = "idx:" FASHION "t10k-images-idx3-ubyte.gz," FASHION "t10k-labels-idx1-ubyte.gz";
    enum { PIXELS = 28 * 28, CUT = 7500 };
    strata_error err = { 0 };
    uint8_t rows[2][PIXELS];
    const void *x;
    strata_data *now = opened(source), *later = opened_for_later(source), *head, *tail;
    const uint8_t *values = strata_data_x(now).values;
    cr_assert(!strata_data_x(later).values && strata_data_x(later).dim[0] == 10000);
    cr_assert(strata_data_split(later, 0.25, &head, &tail, &err));
    cr_assert(strata_data_read_x(tail, (const uint32_t[]){ 2499, 0 }, 2, rows, &err));
    cr_assert_arr_eq(rows[0], values + 9999 * PIXELS, PIXELS);
    cr_assert_arr_eq(rows[1], values + CUT * PIXELS, PIXELS);
    cr_assert(strata_data_await(tail, &x, &err));
    cr_assert_arr_eq(x, values + CUT * PIXELS, 2500 * PIXELS);
    cr_assert_eq(strata_data_fingerprint(later), strata_data_fingerprint(now));
    strata_data_free(head);
    strata_data_free(later);
    strata_data_free(tail);
    strata_data_free(now);
    strata_data_free(opened_for_later(source)); /* nobody waits */
}

Test(sources, what_is_wrong_with_a_file_that_comes_later_is_heard_when_it_is_waited_for)
{
    static uint8_t bytes[200000];
    strata_error err = { 0 };
    const void *x;
    FILE *file = fopen(FASHION "t10k-images-idx3-ubyte.gz", "rb");
    cr_assert_eq(fread(bytes, 1, sizeof bytes, file), sizeof bytes);
    fclose(file);
    write_file("later.gz", bytes, sizeof bytes);
    strata_data *data = opened_for_later("idx:later.gz," FASHION "t10k-labels-idx1-ubyte.gz");
    cr_assert(!strata_data_await(data, &x, &err));
    cr_assert(err.code == STRATA_EFILE && strstr(err.message, "later.gz: truncated"), "%s", err.message);
    strata_data_free(data);
}

Test(sources, a_truncated_gz_is_refused)
{
    static uint8_t bytes[200000];
    FILE *file = fopen(FASHION "t10k-images-idx3-ubyte.gz", "rb");
    cr_assert_eq(fread(bytes, 1, sizeof bytes, file), sizeof bytes);
    fclose(file);
    write_file("cut.gz", bytes, sizeof bytes);
    refused("idx:cut.gz," FASHION "t10k-labels-idx1-ubyte.gz", STRATA_EFILE, "cut.gz: truncated");
}

Test(sources, a_gz_without_its_last_bytes_or_with_a_wrong_checksum_is_refused)
{
    static uint8_t bytes[1 << 16];
    gzFile gz = gzopen("whole.gz", "wb");
    gzwrite(gz, two_images, sizeof two_images);
    gzclose(gz);
    write_file("checked-labels", two_labels, sizeof two_labels);
    FILE *file = fopen("whole.gz", "rb");
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    write_file("tail.gz", bytes, size - 8);
    refused("idx:tail.gz,checked-labels", STRATA_EFILE, "tail.gz: truncated");
    bytes[size - 8] ^= 1;
    write_file("crc.gz", bytes, size);
    refused("idx:crc.gz,checked-labels", STRATA_EFILE, "crc.gz: damaged: incorrect data check");
}

Test(sources, idx_files_that_do_not_fit_their_headers_are_refused)
{
    uint8_t bytes[64] = { 0 };
    write_file("good-images", two_images, sizeof two_images);
    write_file("good-labels", two_labels, sizeof two_labels);
    memcpy(bytes, two_images, sizeof two_images);
    write_file("long-images", bytes, sizeof two_images + 1);
    refused("idx:long-images,good-labels", STRATA_EFILE, "goes on after the values");
    write_file("short-images", bytes, sizeof two_images - 1);
    refused("idx:short-images,good-labels", STRATA_EFILE, "truncated: it ends where 1 more bytes were expected");
    bytes[4] = bytes[8] = bytes[12] = 0xff; /* 2^96 bytes */
    write_file("huge-images", bytes, sizeof bytes);
    refused("idx:huge-images,good-labels", STRATA_EFILE, "too large");
    bytes[4] = 0xf;
    bytes[8] = bytes[12] = 0; /* 750 million, which memory is not asked for */
    write_file("large-images", bytes, sizeof bytes);
    refused("idx:large-images,good-labels", STRATA_EFILE, "truncated");
    bytes[0] = 'P';
    write_file("magic-images", bytes, sizeof bytes);
    refused("idx:magic-images,good-labels", STRATA_EFILE, "magic-images: not an IDX file: it begins with 50 00 08 03");
    refused("idx:good-labels,good-images", STRATA_EFILE, "type 08 with 1 axes; images have type 08 and 3");
    refused("idx:good-images," FASHION "t10k-labels-idx1-ubyte.gz", STRATA_EFILE, "has 2 images and");
    refused("idx:good-images,absent", STRATA_EFILE, "absent: cannot be opened: No such file");
    refused("idx:good-images", STRATA_EJOB, "two files are expected");
}

/* ---- what NumPy and h5py wrote: make_files.py says what is in them ---- */

static void is_named(const char *source)
{
    static const float weight[] = { 1, 0.5, 2, 1, 0.25 };
    static const int64_t labels[] = { 3, 1, 4, 1, 5 };
    strata_data *data = opened(source);
    const strata_array x = strata_data_x(data), y = strata_data_y(data), w = strata_data_sample_weight(data);
    cr_assert(x.type == STRATA_FLOAT32 && x.rank == 3 && x.dim[0] == 5 && x.dim[1] == 2 && x.dim[2] == 3);
    for (int i = 0; i < 30; i++)
        cr_assert_eq(((const float *)x.values)[i], (float)i / 8);
    cr_assert(y.type == STRATA_INT64 && y.rank == 1);
    cr_assert_arr_eq(y.values, labels, sizeof labels);
    cr_assert(w.type == STRATA_FLOAT32 && w.rank == 1);
    cr_assert_arr_eq(w.values, weight, sizeof weight);
    cr_assert_eq(strata_data_scale(data), 1);
    strata_data_free(data);
}

Test(sources, npz_and_hdf5_give_x_y_and_sample_weight)
{
    is_named(FILES "named.npz");
    is_named(FILES "named.h5");
}

static void is_images(const char *source)
{
    static const int32_t labels[] = { 0, 2, 1, 2 };
    strata_data *data = opened(source);
    const strata_array x = strata_data_x(data), y = strata_data_y(data);
    cr_assert(x.type == STRATA_UINT8 && x.rank == 4 && x.dim[0] == 4 && x.dim[3] == 1);
    for (int i = 0; i < 36; i++)
        cr_assert_eq(((const uint8_t *)x.values)[i], i * 7 % 256);
    cr_assert(y.type == STRATA_INT32 && y.rank == 2 && y.dim[1] == 1);
    cr_assert_arr_eq(y.values, labels, sizeof labels);
    strata_data_free(data);
}

Test(sources, arrays_of_other_names_are_read_compressed_or_not)
{
    is_images("{\"source\": \"" FILES "images.npz\", \"x\": \"images\", \"y\": \"labels\"}");
    is_images("{\"source\": \"" FILES "images.h5\", \"x\": \"train/images\", \"y\": \"train/labels\"}");
    refused(FILES "images.npz", STRATA_EFILE, "no array \"x\"; it has images.npy, labels.npy");
    refused(FILES "images.h5", STRATA_EFILE, "no dataset \"x\"; it has text, train");
    refused("{\"source\": \"" FILES "images.h5\", \"x\": \"test/images\"}", STRATA_EFILE, "no dataset \"test/images\"");
    refused("{\"source\": \"" FILES "named.npz\", \"y\": \"labels\"}", STRATA_EFILE, "no array \"labels\"");
    refused("{\"source\": \"" FILES "images.h5\", \"x\": \"text\"}", STRATA_EFILE, "does not hold numbers");
}

Test(sources, npz_doubles_become_floats)
{
    strata_data *data = opened(FILES "doubles.npz");
    const strata_array x = strata_data_x(data), y = strata_data_y(data);
    cr_assert(x.type == STRATA_FLOAT32 && y.type == STRATA_FLOAT32 && y.dim[1] == 5);
    cr_assert_eq(((const float *)x.values)[29], 29.0f / 8);
    cr_assert_eq(((const float *)y.values)[6], 1);
    strata_data_free(data);
}

Test(sources, what_cannot_be_a_dataset_is_refused)
{
    refused(FILES "fortran.npz", STRATA_EFILE, "Fortran order");
    refused(FILES "swapped.npz", STRATA_EFILE, "its type is '>f4'");
    refused(FILES "uneven.npz", STRATA_ESHAPE, "x has 5 samples and y has 4");
    refused(FILES "wide.npz", STRATA_EFILE, "x of sample 1 is 1099511627776");
    refused(FILES "unfilled.h5", STRATA_EFILE, "needs 4000000000 bytes but stores 0");
    refused(FILES "absent.h5", STRATA_EFILE, "no such file");
    refused("mnist", STRATA_EJOB, "\"mnist\" is not a source");
}

/* Every cut of a real file: an error, and neither a crash nor a dataset. */
static void cuts_are_refused(const char *path, const char *name, size_t step)
{
    static uint8_t bytes[1 << 16];
    FILE *file = fopen(path, "rb");
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    cr_assert(size > 0 && size < sizeof bytes);
    for (size_t cut = 0; cut < size; cut += step) {
        strata_error err = { 0 };
        write_file(name, bytes, cut);
        cr_assert_null(strata_data_open(name, &err), "cut to %zu of %zu bytes", cut, size);
        cr_assert_eq(err.code, STRATA_EFILE);
    }
}

Test(sources, cut_files_are_refused)
{
    cuts_are_refused(FILES "named.npz", "cut.npz", 1);
    cuts_are_refused(FILES "named.h5", "cut.h5", 7);
}

/* Flipped bits: zip's checksums find those in the values; wherever they are, nothing crashes. */
Test(sources, npz_with_flipped_bits_never_crash_or_change_the_values)
{
    static uint8_t bytes[1 << 16];
    FILE *file = fopen(FILES "named.npz", "rb");
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    strata_data *whole = opened(FILES "named.npz");
    for (size_t bit = 0; bit < 8 * size; bit += 5) {
        strata_error err = { 0 };
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        write_file("flipped.npz", bytes, size);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        strata_data *data = strata_data_open("flipped.npz", &err);
        if (data && strata_data_y(data).values && strata_data_sample_weight(data).values)
            cr_assert_eq(strata_data_fingerprint(data), strata_data_fingerprint(whole), "bit %zu", bit);
        strata_data_free(data);
    }
    strata_data_free(whole);
}

/* ---- csv ---- */

Test(sources, csv_columns_are_features_and_a_label)
{
    static const float first[] = { 5.1f, 3.5f, 1.4f, 7.0f, 3.2f, 4.7f, 6.3f, 3.3f, 6.0f };
    static const int32_t labels[] = { 0, 1, 2 };
    strata_data *data = opened(FILES "iris.csv");
    cr_assert(strata_data_x(data).dim[0] == 3 && strata_data_x(data).dim[1] == 3);
    cr_assert_arr_eq(strata_data_x(data).values, first, sizeof first);
    cr_assert_eq(strata_data_y(data).type, STRATA_INT32);
    cr_assert_arr_eq(strata_data_y(data).values, labels, sizeof labels);
    strata_data_free(data);
    data = opened("{\"source\": \"" FILES "iris.csv\", \"y\": \"petal length\", \"sample_weight\": \"label\"}");
    cr_assert_eq(strata_data_x(data).dim[1], 2);
    cr_assert_eq(((const float *)strata_data_y(data).values)[2], 6.0f);
    cr_assert_eq(((const float *)strata_data_sample_weight(data).values)[2], 2.0f);
    strata_data_free(data);
}

static void csv_refused(const char *text, const char *part)
{
    write_file("bad.csv", text, strlen(text));
    refused("bad.csv", STRATA_EFILE, part);
}

Test(sources, csv_says_where_it_is_wrong)
{
    csv_refused("a,label\n1,2\n3\n", "bad.csv: line 3 has 1 fields; the first line has 2");
    csv_refused("a,label\n1,2\n\n3,cat\n", "line 4, column 2 is \"cat\"; it must be a finite number");
    csv_refused("a,label\n1,nan\n", "line 2, column 2 is \"nan\"");
    csv_refused("a,label\n,1\n", "line 2, column 1 is \"\"");
    csv_refused("1,2\n3,4\n", "line 1 holds numbers");
    csv_refused("label\n1\n", "needs a label and at least one other");
    csv_refused("", "it is empty");
}

/* ---- the object form ---- */

Test(sources, the_object_form_limits_scales_and_makes_one_hot_labels)
{
    strata_data *data = opened("{\"source\": \"fashion-mnist:test\", \"limit\": 100, \"scale\": 0.5, \"one_hot\": 10}");
    const strata_array y = strata_data_y(data);
    cr_assert_eq(strata_data_count(data), 100);
    cr_assert_eq(strata_data_scale(data), 0.5f);
    cr_assert(y.type == STRATA_FLOAT32 && y.rank == 2 && y.dim[0] == 100 && y.dim[1] == 10);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(((const float *)y.values)[i], i == 9); /* the first test image is an ankle boot */
    strata_data_free(data);
}

Test(sources, the_object_form_refuses_what_it_does_not_know)
{
    refused("{\"source\": \"fashion-mnist:test\", \"limits\": 100}", STRATA_EJOB, "did you mean \"limit\"");
    refused("{\"x\": \"images\"}", STRATA_EJOB, "source");
    refused("{\"source\": \"fashion-mnist:test\", \"one_hot\": 9}", STRATA_EFILE,
            "label of sample 0 is not a class from 0 to 8");
    refused("{\"source\": \"fashion-mnist:test\", \"x\": \"images\"}", STRATA_EJOB, "leave out \"x\"");
    refused("{\"source\": ", STRATA_EFILE, "not JSON");
}
