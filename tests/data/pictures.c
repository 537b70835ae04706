/* Folders of pictures against what Keras's image_dataset_from_directory gives of the same files (make_pictures.py). */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/batches.h"

#define PICTURES STRATA_SOURCE "/tests/data/pictures/"
#define MIXED PICTURES "mixed"

static strata_data *opened(const char *source)
{
    strata_error err = { 0 };
    strata_data *data = strata_data_open(source, &err);
    cr_assert_not_null(data, "%s", err.message);
    return data;
}

static float *all_x(const strata_data *data)
{
    strata_error err = { 0 };
    const strata_array x = strata_data_x(data);
    size_t count = 1;
    for (int i = 0; i < x.rank; i++) count *= x.dim[i];
    unsigned char *bytes = malloc(count * sizeof(float));
    float *floats = malloc(count * sizeof *floats);
    cr_assert(strata_data_read(data, 0, x.dim[0], bytes, &err), "%s", err.message);
    for (size_t i = 0; i < count; i++) floats[i] = x.type == STRATA_UINT8 ? bytes[i] : ((float *)(void *)bytes)[i];
    free(bytes);
    return floats;
}

/* Labels exactly; numbers as far apart as `near` allows. */
static void is_what_keras_gives(const char *source, const char *x_name, const char *y_name, double near)
{
    char text[600];
    snprintf(text, sizeof text, "{\"source\": \"" PICTURES "keras.npz\", \"x\": \"%s\", \"y\": \"%s\"}", x_name, y_name);
    strata_data *ours = opened(source), *keras = opened(text);
    const strata_array x = strata_data_x(ours), expected = strata_data_x(keras), y = strata_data_y(ours);
    const strata_array labels = strata_data_y(keras);
    cr_assert_eq(x.rank, 4);
    cr_assert_arr_eq(x.dim, expected.dim, 4 * sizeof *x.dim);
    cr_assert(y.rank == 1 && y.type == STRATA_INT32 && labels.type == STRATA_INT32);
    cr_assert_arr_eq(y.values, labels.values, x.dim[0] * sizeof(int32_t));
    float *values = all_x(ours), *wanted = all_x(keras);
    const size_t each = x.dim[1] * x.dim[2] * x.dim[3];
    for (size_t i = 0; i < x.dim[0] * each; i++)
        cr_assert(fabs((double)(values[i] - wanted[i])) <= near, "%s: sample %zu, element %zu is %g, Keras's %g", x_name,
                  i / each, i % each, (double)values[i], (double)wanted[i]);
    free(values);
    free(wanted);
    strata_data_free(ours);
    strata_data_free(keras);
}

Test(pictures, decoded_in_colour_they_are_what_keras_gives)
{
    is_what_keras_gives(MIXED, "rgb", "labels", 0);
    is_what_keras_gives("{\"source\": \"" MIXED "/\", \"resize\": [12, 15]}", "rgb", "labels", 0);
}

Test(pictures, decoded_in_grey_they_are_what_keras_gives)
{
    is_what_keras_gives("{\"source\": \"" MIXED "\", \"channels\": 1}", "grey", "labels", 0);
}

Test(pictures, decoded_with_opacity_they_are_what_keras_gives)
{
    is_what_keras_gives("{\"source\": \"" PICTURES "opaque\", \"channels\": 4}", "opaque", "opaque_labels", 0);
}

/* Keras's sums may be fused; 1e-4 of 255 is rounding. */
Test(pictures, resized_they_are_what_keras_gives)
{
    is_what_keras_gives("{\"source\": \"" MIXED "\", \"resize\": [7, 11]}", "smaller", "labels", 1e-4);
    is_what_keras_gives("{\"source\": \"" MIXED "\", \"resize\": [29, 16], \"channels\": 1}", "larger", "labels", 1e-4);
}

Test(pictures, arrays_of_images_are_resized_by_the_same_rule)
{
    is_what_keras_gives("{\"source\": \"" PICTURES "keras.npz\", \"x\": \"rgb\", \"y\": \"labels\", \"resize\": [7, 11]}",
                        "smaller", "labels", 1e-4);
    strata_data *grey = opened("{\"source\": \"" PICTURES "keras.npz\", \"x\": \"grey\", \"channels\": 3}");
    strata_data *one = opened("{\"source\": \"" PICTURES "keras.npz\", \"x\": \"grey\"}");
    float *three = all_x(grey), *values = all_x(one);
    cr_assert_eq(strata_data_x(grey).dim[3], 3);
    for (size_t i = 0; i < 3 * 10 * 12 * 15; i++) cr_assert_eq(three[i], values[i / 3]);
    free(three);
    free(values);
    strata_data_free(grey);
    strata_data_free(one);
}

Test(pictures, classes_have_the_names_of_the_folders)
{
    strata_data *data = opened("{\"source\": \"" MIXED "\", \"one_hot\": 3}");
    cr_assert_str_eq(strata_data_class_name(data, 0), "10");
    cr_assert_str_eq(strata_data_class_name(data, 1), "9");
    cr_assert_str_eq(strata_data_class_name(data, 2), "b c");
    cr_assert_null(strata_data_class_name(data, 3));
    cr_assert_eq(strata_data_y(data).dim[1], 3);
    cr_assert_eq(strata_data_x(data).values, NULL);
    strata_data_free(data);
}

Test(pictures, a_folder_takes_the_shape_of_the_model_where_none_was_asked_for)
{
    strata_data *data = opened(MIXED), *asked = opened("{\"source\": \"" MIXED "\", \"resize\": [5, 6]}");
    strata_data_suit(data, (const size_t[]){ 29, 16, 1 }, 3);
    strata_data_suit(asked, (const size_t[]){ 29, 16, 1 }, 3);
    const strata_array x = strata_data_x(data), y = strata_data_x(asked);
    cr_assert(x.type == STRATA_FLOAT32 && x.dim[1] == 29 && x.dim[2] == 16 && x.dim[3] == 1);
    cr_assert(y.dim[1] == 5 && y.dim[2] == 6 && y.dim[3] == 1);
    strata_data_free(data);
    strata_data_free(asked);
}

Test(pictures, without_class_folders_they_have_no_labels)
{
    strata_data *data = opened(MIXED "/10/deeper");
    cr_assert_eq(strata_data_count(data), 1);
    cr_assert_null(strata_data_y(data).values);
    strata_data_free(data);
}

/* Split or not, shared or not, each sample comes from its file. */
Test(pictures, batches_of_ranks_and_parts_hold_the_samples_they_name)
{
    strata_error err = { 0 };
    strata_data *data = opened("{\"source\": \"" MIXED "\", \"resize\": [7, 11]}"), *head, *tail;
    float *all = all_x(data);
    cr_assert(strata_data_split(data, 0.4, &head, &tail, &err), "%s", err.message);
    cr_assert_eq(strata_data_count(head) + strata_data_count(tail), 10);
    for (int rank = 0; rank < 2; rank++) {
        const struct share share = { .rank = rank, .size = 2 };
        const struct batches_config config = { .data = tail, .global_batch = 3, .shuffle = true, .seed = 9,
                                               .y_type = STRATA_INT32 };
        struct batches *batches = strata_batches_start(&config, &share, 0, 0, &err);
        for (int step = 0; step < 4; step++) {
            struct batch b;
            cr_assert(strata_batches_next(batches, &b, &err), "%s", err.message);
            for (size_t i = 0; i < b.count; i++) {
                const size_t row = strata_data_count(head) + b.sample[i];
                cr_assert_arr_eq((const float *)b.x + i * 231, all + row * 231, 231 * sizeof(float));
            }
        }
        strata_batches_stop(batches);
    }
    free(all);
    strata_data_free(data);
    strata_data_free(head);
    strata_data_free(tail);
}

/* ---- what is wrong ----------------------------------------------------------------------------------------------------- */

static void copy_part(const char *from, const char *to, double part)
{
    static unsigned char bytes[1 << 16];
    FILE *file = fopen(from, "rb");
    const size_t size = (size_t)(part * (double)fread(bytes, 1, sizeof bytes, file));
    fclose(file);
    file = fopen(to, "wb");
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void make_folder(void)
{
    mkdir("set", 0755);
    mkdir("set/a", 0755);
    mkdir("set/b", 0755);
    copy_part(MIXED "/10/colour.png", "set/a/1.png", 1);
    copy_part(MIXED "/10/colour.png", "set/a/2.png", 0.7);
    copy_part(MIXED "/10/colour.jpg", "set/a/3.jpg", 0.8);
    copy_part(MIXED "/10/notes.txt", "set/b/4.jpg", 1);
    copy_part(MIXED "/10/colour.jpg", "set/b/5.jpg", 1);
}

Test(pictures, a_damaged_one_stops_what_reads_it_and_is_named)
{
    strata_error err = { 0 };
    float x[5 * 540];
    make_folder();
    strata_data *data = opened("set");
    cr_assert_eq(strata_data_count(data), 5);
    cr_assert(strata_data_read(data, 0, 1, x, &err), "%s", err.message);
    cr_assert_not(strata_data_read(data, 0, 5, x, &err));
    cr_assert_eq(err.code, STRATA_EFILE, "%s", err.message);
    cr_assert_not_null(strstr(err.message, "set/a/2.png: damaged PNG: it ends too early"), "%s", err.message);
    err = (strata_error){ 0 };
    cr_assert_not(strata_data_read(data, 2, 3, x, &err));
    cr_assert_not_null(strstr(err.message, "set/a/3.jpg: damaged JPEG: Premature end"), "%s", err.message);
    err = (strata_error){ 0 };
    cr_assert_not(strata_data_read(data, 3, 2, x, &err));
    cr_assert_not_null(strstr(err.message, "set/b/4.jpg: it is neither a JPEG nor a PNG"), "%s", err.message);
    strata_data_free(data);
}

Test(pictures, damaged_ones_are_left_out_and_noted_when_asked)
{
    strata_error err = { 0 };
    make_folder();
    strata_data *data = opened("{\"source\": \"set\", \"damaged\": \"skip\"}");
    cr_assert_eq(strata_data_count(data), 2);
    cr_assert_arr_eq(strata_data_y(data).values, ((const int32_t[]){ 0, 1 }), 8);
    cr_assert_not_null(strstr(strata_data_note(data, 0), "left out set/a/2.png: damaged PNG"));
    cr_assert_not_null(strstr(strata_data_note(data, 2), "left out set/b/4.jpg: it is neither"));
    cr_assert_null(strata_data_note(data, 3));
    float *x = all_x(data);
    free(x);
    strata_data_free(data);
    remove("set/a/1.png");
    remove("set/b/5.jpg");
    cr_assert_null(strata_data_open("{\"source\": \"set\", \"damaged\": \"skip\"}", &err));
    cr_assert_not_null(strstr(err.message, "set: none of its 3 pictures can be read"), "%s", err.message);
}

static void refused(const char *source, strata_code code, const char *part)
{
    strata_error err = { 0 };
    cr_assert_null(strata_data_open(source, &err), "%s", source);
    cr_assert_not_null(strstr(err.message, part), "%s", err.message);
    cr_assert_eq(err.code, code, "%s", err.message);
}

Test(pictures, what_cannot_be_is_refused)
{
    mkdir("empty", 0755);
    mkdir("empty/a", 0755);
    refused("empty", STRATA_EFILE, "empty: it holds no pictures");
    refused("{\"source\": \"" MIXED "\", \"channels\": 2}", STRATA_EJOB, "it must be 1, 3 or 4");
    refused("{\"source\": \"" MIXED "\", \"resize\": [0, 4]}", STRATA_EJOB, "resize needs a height and a width");
    refused("{\"source\": \"" MIXED "\", \"x\": \"a\"}", STRATA_EJOB, "leave out \"x\"");
    refused("{\"source\": \"fashion-mnist:test\", \"damaged\": \"skip\"}", STRATA_EJOB, "is for folders of pictures");
    refused("{\"source\": \"" STRATA_SOURCE "/tests/data/files/iris.csv\", \"resize\": 9}", STRATA_EJOB, "need images of");
}

Test(pictures, of_several_sizes_need_one_to_be_asked_for)
{
    strata_error err = { 0 };
    unsigned char x[4 * 540];
    mkdir("sizes", 0755);
    mkdir("sizes/a", 0755);
    copy_part(MIXED "/10/colour.png", "sizes/a/1.png", 1);
    copy_part(PICTURES "tall.png", "sizes/a/2.png", 1);
    strata_data *data = opened("sizes");
    cr_assert_not(strata_data_read(data, 0, 2, x, &err));
    cr_assert_not_null(strstr(err.message, "sizes/a/2.png: it has 4 x 5 pixels, the first picture 15 x 12; give a size"),
                       "%s", err.message);
    strata_data_free(data);
}
