#include <criterion/criterion.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/batches.h"
#include "data/stream.h"

static const struct share alone = { .rank = 0, .size = 1 };

/* n samples whose only element is their index; labels are index % 3. */
static strata_data *numbered(size_t n)
{
    strata_error err = { 0 };
    float *values = malloc(n * sizeof *values);
    int64_t *labels = malloc(n * sizeof *labels);
    for (size_t i = 0; i < n; i++) {
        values[i] = (float)i;
        labels[i] = (int64_t)i % 3;
    }
    const strata_array x = { STRATA_FLOAT32, 2, { n, 1 }, values }, y = { STRATA_INT64, 1, { n }, labels };
    strata_data *data = strata_data_from_arrays(&x, &y, NULL, &err);
    cr_assert_not_null(data, "%s", err.message);
    free(values);
    free(labels);
    return data;
}

static struct batches *started(const struct batches_config *config, const struct share *share, size_t epoch,
                               size_t step)
{
    strata_error err = { 0 };
    struct batches *batches = strata_batches_start(config, share, epoch, step, &err);
    cr_assert_not_null(batches, "%s", err.message);
    return batches;
}

static struct batch next(struct batches *batches)
{
    strata_error err = { 0 };
    struct batch batch;
    cr_assert(strata_batches_next(batches, &batch, &err), "%s", err.message);
    return batch;
}

Test(batches, each_sample_comes_once_an_epoch_in_an_order_of_its_own)
{
    strata_data *data = numbered(1001);
    const struct batches_config config = { .data = data, .global_batch = 64, .shuffle = true, .seed = 5,
                                           .y_type = STRATA_INT32 };
    struct batches *batches = started(&config, &alone, 0, 0);
    uint32_t order[3][1001];
    cr_assert_eq(strata_batches_steps(&config), 16);
    for (size_t epoch = 0; epoch < 3; epoch++) {
        bool seen[1001] = { false };
        for (size_t step = 0, at = 0; step < 16; step++) {
            const struct batch b = next(batches);
            cr_assert(b.epoch == epoch && b.step == step);
            cr_assert_eq(b.count, step < 15 ? 64 : 41);
            cr_assert_eq(b.global_weight, (double)b.count);
            for (size_t i = 0; i < b.count; i++, at++) {
                const uint32_t sample = b.sample[i];
                cr_assert(sample < 1001 && !seen[sample]);
                cr_assert_eq(((const float *)b.x)[i], (float)sample);
                cr_assert_eq(((const int32_t *)b.y)[i], (int32_t)sample % 3);
                seen[sample] = true;
                order[epoch][at] = sample;
            }
        }
    }
    cr_assert_arr_neq(order[0], order[1], sizeof order[0]);
    cr_assert_arr_neq(order[1], order[2], sizeof order[0]);
    strata_batches_stop(batches);
    strata_data_free(data);
}

Test(batches, unshuffled_batches_keep_the_order_of_the_data)
{
    strata_data *data = numbered(7);
    const struct batches_config config = { .data = data, .global_batch = 3, .y_type = STRATA_FLOAT32 };
    struct batches *batches = started(&config, &alone, 0, 0);
    for (uint32_t sample = 0; sample < 14;) {
        const struct batch b = next(batches);
        cr_assert_null(b.weight);
        for (size_t i = 0; i < b.count; i++, sample++) {
            cr_assert_eq(b.sample[i], sample % 7);
            cr_assert_eq(((const float *)b.y)[i], (float)(sample % 7 % 3));
        }
    }
    strata_batches_stop(batches);
    strata_data_free(data);
}

Test(batches, shares_tile_every_batch_whatever_its_size_and_the_speeds)
{
    static const double speeds[] = { 1, 2.5, 0, 4, 0.1, 1, 1 };
    for (int size = 1; size <= 7; size++)
        for (size_t n = 0; n <= 70; n++)
            for (int fast = 0; fast < 2; fast++) {
                size_t at = 0, least = n, most = 0;
                for (int rank = 0; rank < size; rank++) {
                    const struct share share = { rank, size, fast ? speeds : NULL, fast ? n % 4 : 0 };
                    size_t first, count;
                    strata_share(&share, n, &first, &count);
                    cr_assert_eq(first, at);
                    at += count;
                    least = count < least ? count : least;
                    most = count > most ? count : most;
                    if (fast && speeds[rank] == 0)
                        cr_assert_eq(count, 0);
                }
                cr_assert_eq(at, n);
                if (!fast)
                    cr_assert(most - least <= 1);
            }
}

Test(batches, shares_by_grains_begin_at_grains)
{
    static const double speeds[] = { 1, 2, 3 };
    for (size_t n = 1; n <= 40; n++)
        for (int rank = 0; rank < 3; rank++) {
            const struct share share = { rank, 3, speeds, 4 };
            size_t first, count;
            strata_share(&share, n, &first, &count);
            cr_assert(first % 4 == 0 || first == n);
            cr_assert(n != 24 || count == 4 * (size_t)(rank + 1));
        }
}

Test(batches, ranks_together_see_what_one_rank_sees)
{
    strata_data *data = numbered(101); /* batches of 8; the last has 5, fewer than ranks */
    const struct batches_config config = { .data = data, .global_batch = 8, .shuffle = true, .seed = 1,
                                           .y_type = STRATA_INT32 };
    for (int size = 2; size <= 7; size++) {
        struct batches *one = started(&config, &alone, 0, 0), *part[7];
        for (int rank = 0; rank < size; rank++) {
            const struct share share = { .rank = rank, .size = size };
            part[rank] = started(&config, &share, 0, 0);
        }
        for (int step = 0; step < 26; step++) {
            const struct batch whole = next(one);
            size_t at = 0;
            for (int rank = 0; rank < size; rank++) {
                const struct batch b = next(part[rank]);
                cr_assert(b.first == at && b.global_count == whole.count && b.global_weight == whole.global_weight);
                cr_assert(b.count == 0 || memcmp(b.sample, whole.sample + at, b.count * sizeof *b.sample) == 0);
                at += b.count;
            }
            cr_assert_eq(at, whole.count);
        }
        strata_batches_stop(one);
        for (int rank = 0; rank < size; rank++)
            strata_batches_stop(part[rank]);
    }
    strata_data_free(data);
}

Test(batches, starting_anywhere_gives_what_never_stopping_gives)
{
    strata_data *data = numbered(50);
    for (size_t steps = 0; steps <= 11; steps++) {
        const struct batches_config config = { .data = data, .global_batch = 7, .shuffle = true, .seed = 3,
                                               .steps_per_epoch = steps, .y_type = STRATA_INT32 };
        const size_t each = strata_batches_steps(&config);
        struct batches *all = started(&config, &alone, 0, 0);
        for (size_t i = 0; i < 3 * each; i++) {
            const struct batch expected = next(all);
            struct batches *again = started(&config, &alone, i / each, i % each);
            const struct batch b = next(again);
            cr_assert(b.epoch == expected.epoch && b.step == expected.step && b.count == expected.count);
            cr_assert_arr_eq(b.sample, expected.sample, b.count * sizeof *b.sample);
            strata_batches_stop(again);
        }
        strata_batches_stop(all);
    }
    strata_data_free(data);
}

Test(batches, a_short_epoch_ends_early_and_the_next_goes_on_from_there)
{
    strata_data *data = numbered(10);
    const struct batches_config config = { .data = data, .global_batch = 4, .steps_per_epoch = 2,
                                           .y_type = STRATA_INT32 };
    static const size_t first[] = { 0, 4, 8, 0, 4, 8 }, count[] = { 4, 4, 2, 4, 4, 2 };
    struct batches *batches = started(&config, &alone, 0, 0);
    for (size_t i = 0; i < 6; i++) {
        const struct batch b = next(batches);
        cr_assert(b.epoch == i / 2 && b.step == i % 2);
        cr_assert(b.sample[0] == first[i] && b.count == count[i]);
    }
    strata_batches_stop(batches);
    strata_data_free(data);
}

/* ---- what is prepared ---- */

static atomic_size_t rows_read;

static bool read_row_numbers(struct stream *stream, const uint32_t *rows, size_t count, void *out, strata_error *err)
{
    (void)stream;
    (void)err;
    for (size_t i = 0; i < count; i++) ((float *)out)[i] = (float)rows[i];
    atomic_fetch_add(&rows_read, count);
    return true;
}

static void keep_stream(struct stream *stream)
{
    (void)stream;
}

static const struct stream_class counted = { .read = read_row_numbers, .free = keep_stream };

/* Until so many rows were read; false: not within 5 s. */
static bool reads(size_t rows)
{
    for (int i = 0; i < 5000 && atomic_load(&rows_read) < rows; i++) usleep(1000);
    return atomic_load(&rows_read) >= rows;
}

Test(batches, none_is_prepared_that_comes_after_the_end)
{
    struct stream stream;
    strata_data *data = numbered(10);
    free(data->x.values);
    data->x.values = NULL;
    data->stream = &stream;
    strata_stream_init(&stream, &counted);
    struct batches_config config = { .data = data, .global_batch = 4, .y_type = STRATA_INT32 };

    /* without one two more follow those that were asked for, whatever epoch they are of */
    struct batches *batches = started(&config, &alone, 0, 0);
    for (int i = 0; i < 3; i++) (void)next(batches);
    cr_assert(reads(4 + 4 + 2 + 4 + 4));
    strata_batches_stop(batches);

    for (size_t start = 0; start < 5; start++) {
        config.end = 5;
        atomic_store(&rows_read, 0);
        batches = started(&config, &alone, start / 3, start % 3);
        size_t rows = 0;
        for (size_t i = start; i < 5; i++) {
            const struct batch b = next(batches);
            cr_assert(b.epoch == i / 3 && b.step == i % 3 && ((const float *)b.x)[0] == (float)(4 * b.step));
            rows += b.count;
        }
        usleep(20000); /* it has time to go on */
        cr_assert_eq(atomic_load(&rows_read), rows);
        strata_batches_stop(batches);
    }

    /* nothing is left to be asked for */
    atomic_store(&rows_read, 0);
    strata_batches_stop(started(&config, &alone, 1, 2));
    cr_assert_eq(atomic_load(&rows_read), 0);
    strata_data_free(data);
}

Test(batches, x_comes_alone_where_nothing_else_is_wanted)
{
    strata_data *data = numbered(10);
    const double factors[] = { 1, 2, 3 };
    const struct batches_config config = { .data = data, .global_batch = 4, .x_alone = true, .class_weight = factors,
                                           .class_weights = 3 };
    struct batches *batches = started(&config, &alone, 0, 0);
    for (size_t sample = 0; sample < 10;) {
        const struct batch b = next(batches);
        cr_assert(!b.y && !b.weight && b.global_weight == (double)b.count);
        for (size_t i = 0; i < b.count; i++, sample++) cr_assert_eq(((const float *)b.x)[i], (float)sample);
    }
    strata_batches_stop(batches);
    strata_data_free(data);
}

/* ---- weights and labels ---- */

Test(batches, class_weights_multiply_sample_weights)
{
    static const float values[6] = { 0 }, given[] = { 1, 2, 3, 4, 5, 6 };
    static const float one_hot[] = { 0, 1, 0, /**/ 1, 0, 0, /**/ 0, 0, 1, /**/ 0, 1, 0, /**/ 0, 0, 1, /**/ 1, 0, 0 };
    static const double by_class[] = { 0.5, 2 }; /* class 2 is not in the list and weighs 1, as in Keras */
    static const float expected[] = { 2, 1, 3, 8, 5, 3 };
    const strata_array x = { STRATA_FLOAT32, 2, { 6, 1 }, values }, y = { STRATA_FLOAT32, 2, { 6, 3 }, one_hot },
                       w = { STRATA_FLOAT32, 1, { 6 }, given };
    strata_error err = { 0 };
    strata_data *data = strata_data_from_arrays(&x, &y, &w, &err);
    const struct batches_config config = { .data = data, .global_batch = 6, .y_type = STRATA_FLOAT32,
                                           .class_weight = by_class, .class_weights = 2 };
    const struct share share = { .rank = 1, .size = 2 };
    struct batches *batches = started(&config, &share, 0, 0);
    const struct batch b = next(batches);
    cr_assert_eq(b.count, 3);
    cr_assert_arr_eq(b.weight, expected + 3, 3 * sizeof(float));
    cr_assert_eq(b.global_weight, 22);
    strata_batches_stop(batches);
    strata_data_free(data);
}

static void label_refused(const strata_array *y, const char *message)
{
    static const float values[4] = { 0 };
    const strata_array x = { STRATA_FLOAT32, 2, { 4, 1 }, values };
    strata_error err = { 0 };
    struct batch batch;
    strata_data *data = strata_data_from_arrays(&x, y, NULL, &err);
    const struct batches_config config = { .data = data, .global_batch = 2, .y_type = STRATA_INT32 };
    struct batches *batches = started(&config, &alone, 0, 0);
    cr_assert(strata_batches_next(batches, &batch, &err), "%s", err.message);
    cr_assert_not(strata_batches_next(batches, &batch, &err));
    cr_assert_eq(err.code, STRATA_EFILE);
    cr_assert_str_eq(err.message, message);
    err = (strata_error){ 0 };
    cr_assert_not(strata_batches_next(batches, &batch, &err)); /* and stays so */
    cr_assert_str_eq(err.message, message);
    strata_batches_stop(batches);
    strata_data_free(data);
}

Test(batches, labels_that_are_no_32_bit_integers_are_refused_when_their_batch_comes)
{
    static const int64_t wide[] = { 0, 1, 2, 3000000000 };
    static const float broken[] = { 0, 1, 0.5f, 1 }, missing[] = { 0, 1, NAN, 1 };
    label_refused(&(strata_array){ STRATA_INT64, 1, { 4 }, wide },
                  "arrays: the label of sample 3 is 3e+09; a class is an integer of 32 bits");
    label_refused(&(strata_array){ STRATA_FLOAT32, 1, { 4 }, broken },
                  "arrays: the label of sample 2 is 0.5; a class is an integer of 32 bits");
    label_refused(&(strata_array){ STRATA_FLOAT32, 1, { 4 }, missing },
                  "arrays: the label of sample 2 is nan; a class is an integer of 32 bits");
}

Test(batches, refuse_to_start_without_samples_or_batch)
{
    strata_data *data = numbered(4);
    strata_error err = { 0 };
    struct batches_config config = { .data = data, .global_batch = 0, .y_type = STRATA_INT32 };
    cr_assert_null(strata_batches_start(&config, &alone, 0, 0, &err));
    cr_assert_str_eq(err.message, "batch_size is 0; it must be at least 1");
    cr_assert_eq(err.code, STRATA_EVALUE);
    config.global_batch = 2;
    cr_assert_null(strata_batches_start(&config, &alone, 0, 2, &err));
    data->count = 0;
    cr_assert_null(strata_batches_start(&config, &alone, 0, 0, &err));
    strata_data_free(data);
}
