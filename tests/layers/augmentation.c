/* What the layers that augment images draw: how often, from where to where. What they do with it is in the golden files. */
#include <math.h>

#include "layers/drawn.h"

enum { IMAGES = 2000, HEIGHT = 5, WIDTH = 4, CELLS = HEIGHT * WIDTH };

/* Images of which all have cells 0, 1, 2, ..., through a layer. */
static float *augmented_samples(const char *class_name, const char *config, const uint32_t *rows, size_t count)
{
    struct device *device = open_device();
    static float x[IMAGES * CELLS];
    for (size_t i = 0; i < count * CELLS; i++) x[i] = (float)(i % CELLS);
    const struct drawn d = { class_name, config, { 3, { HEIGHT, WIDTH, 1 } }, 3, 1, false };
    float *y = draw(device, &d, x, rows, count);
    strata_device_close(device);
    return y;
}

static float *augmented(const char *class_name, const char *config)
{
    static uint32_t rows[IMAGES];
    for (uint32_t i = 0; i < IMAGES; i++) rows[i] = i;
    return augmented_samples(class_name, config, rows, IMAGES);
}

/* Five standard deviations of how often something of that probability happens. */
static void is_often(size_t count, double probability)
{
    const double expected = IMAGES * probability;
    cr_expect(fabs((double)count - expected) < 5 * sqrt(expected * (1 - probability)), "%zu of %d, expected %g", count,
              IMAGES, expected);
}

static void mirrors(const char *config, bool rows, bool columns)
{
    float *y = augmented("RandomFlip", config);
    size_t flipped = 0;
    for (size_t s = 0; s < IMAGES; s++) {
        const bool here = y[s * CELLS] != 0;
        flipped += here;
        for (size_t i = 0; i < HEIGHT; i++)
            for (size_t j = 0; j < WIDTH; j++) {
                const size_t p = here && rows ? HEIGHT - 1 - i : i, q = here && columns ? WIDTH - 1 - j : j;
                cr_assert_eq(y[s * CELLS + i * WIDTH + j], (float)(p * WIDTH + q));
            }
    }
    is_often(flipped, 0.5);
    free(y);
}

Test(augmentation, half_of_the_images_are_mirrored)
{
    mirrors("{\"mode\": \"horizontal\"}", false, true);
    mirrors("{\"mode\": \"vertical\"}", true, false);
    mirrors("{\"mode\": \"horizontal_and_vertical\"}", true, true);
}

Test(augmentation, a_crop_is_a_part_of_the_image_from_any_place)
{
    enum { ROWS = 3, COLUMNS = 2, PLACES = (HEIGHT - ROWS + 1) * (WIDTH - COLUMNS + 1) };
    float *y = augmented("RandomCrop", "{\"height\": 3, \"width\": 2}");
    size_t seen[CELLS] = { 0 };
    for (size_t s = 0; s < IMAGES; s++) {
        const float *part = y + s * ROWS * COLUMNS;
        const size_t first = (size_t)part[0];
        cr_assert(first / WIDTH <= HEIGHT - ROWS && first % WIDTH <= WIDTH - COLUMNS, "%zu", first);
        for (size_t i = 0; i < ROWS * COLUMNS; i++)
            cr_assert_eq(part[i], (float)(first + i / COLUMNS * WIDTH + i % COLUMNS));
        seen[first]++;
    }
    for (size_t i = 0; i <= HEIGHT - ROWS; i++)
        for (size_t j = 0; j <= WIDTH - COLUMNS; j++) is_often(seen[i * WIDTH + j], 1.0 / PLACES);
    static const uint32_t few[] = { 1999, 7 };
    float *again = augmented_samples("RandomCrop", "{\"height\": 3, \"width\": 2}", few, 2);
    for (int s = 0; s < 2; s++)
        cr_assert_arr_eq(again + s * ROWS * COLUMNS, y + few[s] * ROWS * COLUMNS, ROWS * COLUMNS * sizeof *y);
    free(again);
    free(y);
}

/* By a part of rows downwards and of columns to the right: cell (i, j) is i * WIDTH + j, also between cells. */
Test(augmentation, images_move_within_their_range)
{
    float *y = augmented("RandomTranslation", "{\"height_factor\": [0, 0.2], \"width_factor\": [-0.25, 0], "
                                              "\"fill_mode\": \"nearest\"}");
    size_t far = 0;
    double least = INFINITY, most = -INFINITY;
    for (size_t s = 0; s < IMAGES; s++) {
        const float *image = y + s * CELLS;
        /* the last column sees itself; its row tells the rows moved by, and the column before it the columns */
        const double rows = 2 - ((double)image[2 * WIDTH + 3] - 3) / WIDTH;
        const double columns = 2 - ((double)image[2 * WIDTH + 2] - (2 - rows) * WIDTH);
        cr_assert(rows > -1e-4 && rows < 1 + 1e-4 && columns > -1 - 1e-3 && columns < 1e-3, "%g %g", rows, columns);
        far += rows > 0.5;
        least = fmin(least, rows);
        most = fmax(most, rows);
    }
    is_often(far, 0.5);
    cr_expect(least < 0.01 && most > 0.99, "%g to %g", least, most);
    free(y);
}

Test(augmentation, brightness_is_added_to_all_of_an_image_within_its_range)
{
    float *y = augmented("RandomBrightness", "{\"factor\": 0.1, \"value_range\": [-100, 100]}");
    size_t lighter = 0;
    for (size_t s = 0; s < IMAGES; s++) {
        const float added = y[s * CELLS];
        cr_assert(fabsf(added) <= 20);
        lighter += added > 0;
        for (size_t i = 0; i < CELLS; i++) cr_assert_float_eq(y[s * CELLS + i], added + (float)i, 1e-4);
    }
    is_often(lighter, 0.5);
    free(y);
}

/* Keras: 0.4 stands for (0, 0.4), so that contrast is never taken away. */
Test(augmentation, contrast_keeps_the_mean_and_stays_within_its_range)
{
    float *y = augmented("RandomContrast", "{\"factor\": 0.4, \"value_range\": [-100, 100]}");
    size_t strong = 0;
    for (size_t s = 0; s < IMAGES; s++) {
        const float *image = y + s * CELLS;
        const double factor = (double)(image[CELLS - 1] - image[0]) / (CELLS - 1);
        double sum = 0;
        for (size_t i = 0; i < CELLS; i++) sum += image[i];
        cr_assert_float_eq(sum / CELLS, (CELLS - 1) / 2.0, 1e-4);
        cr_assert(factor > 1 - 1e-5 && factor < 1.4 + 1e-5, "%g", factor);
        strong += factor > 1.2;
    }
    is_often(strong, 0.5);
    free(y);
}

static void turns(const char *class_name, const char *config, double spread)
{
    float *y = augmented(class_name, config);
    double sum = 0;
    for (size_t s = 0; s < IMAGES; s++) /* the middle stays where it is */
        sum += fabs((double)(y[s * CELLS + 2 * WIDTH + 1] + y[s * CELLS + 2 * WIDTH + 2]) / 2 - (CELLS - 1) / 2.0);
    cr_expect(sum / IMAGES < 1e-4, "%s: the middle is off by %g", class_name, sum / IMAGES);
    double moved = 0;
    for (size_t s = 0; s < IMAGES; s++) moved += fabs((double)y[s * CELLS + 2 * WIDTH + 2] - 10);
    cr_expect(moved / IMAGES > spread, "%s: cells beside it move by %g", class_name, moved / IMAGES);
    free(y);
}

Test(augmentation, turns_and_zooms_leave_the_middle_in_its_place)
{
    turns("RandomRotation", "{\"factor\": 0.1}", 0.01);
    turns("RandomZoom", "{\"height_factor\": 0.3, \"width_factor\": 0.3}", 0.01);
}
