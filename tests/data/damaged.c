/* Sources damaged in every way: an error or samples, never a crash, a hang or memory out of proportion. */
#include "damage.h"

#include <sys/stat.h>

#include "data/dataset.h"

#define FILES STRATA_SOURCE "/tests/data/files/"
#define PICTURES STRATA_SOURCE "/tests/data/pictures/mixed/"

TestSuite(damaged, .timeout = 600);

/* Opens the source and reads all samples, one after the other from the last. */
static void read_all(const char *source)
{
    strata_error err = { 0 };
    strata_data *data = strata_data_open(source, &err);
    const strata_array x = data ? strata_data_x(data) : (strata_array){ 0 };
    size_t each = sizeof(double);
    for (int i = 1; i < x.rank; i++) each *= x.dim[i];
    void *sample = data ? malloc(each) : NULL;
    for (size_t i = sample ? strata_data_count(data) : 0; i > 0; i--) {
        err = (strata_error){ 0 };
        if (!strata_data_read(data, i - 1, 1, sample, &err)) break;
    }
    if (err.code != STRATA_OK && err.message[0] == '\0') _exit(2);
    free(sample);
    strata_data_free(data);
}

/* context: what to read, with %s where the file's name belongs, one after the other until NULL. */
static void try_sources(const char *path, void *context)
{
    for (const char *const *source = context; *source; source++) {
        char text[1024];
        const char *hole = strstr(*source, "%s");
        snprintf(text, sizeof text, "%.*s%s%s", (int)(hole - *source), *source, path, hole + 2);
        read_all(text);
    }
}

static const char *const arrays[] = {
    "{\"source\": \"%s\", \"x\": \"chunks/rows\"}",
    "{\"source\": \"%s\", \"x\": \"chunks/parts\", \"memory\": 0}",
    "{\"source\": \"%s\", \"x\": \"chunks/bare\", \"memory\": 0}",
    "{\"source\": \"%s\", \"x\": \"plain/<f4\", \"memory\": 0}",
    NULL,
};

Test(damaged, hdf5_arrays_are_refused_or_read)
{
    try_variants(FILES "kinds.h5", "variant.h5", try_sources, (void *)arrays);
}

Test(damaged, hdf5_arrays_of_the_latest_format_are_refused_or_read)
{
    try_variants(FILES "kinds_latest.h5", "latest.h5", try_sources, (void *)arrays);
}

static const char *const whole[] = { "%s", "{\"source\": \"%s\", \"memory\": 0}", NULL };

Test(damaged, small_hdf5_files_are_refused_or_read)
{
    try_variants(FILES "named.h5", "named.h5", try_sources, (void *)whole);
}

Test(damaged, npz_files_are_refused_or_read)
{
    try_variants(FILES "named.npz", "variant.npz", try_sources, (void *)whole);
    try_variants(FILES "kinds.npz", "packed.npz", try_sources, (void *)whole);
}

Test(damaged, csv_files_are_refused_or_read)
{
    try_variants(FILES "iris.csv", "variant.csv", try_sources, (void *)whole);
}

static const char *const pairs[] = { "idx:%s,other-labels", "{\"source\": \"idx:%s,other-labels\", \"memory\": 0}", NULL };

Test(damaged, idx_files_are_refused_or_read)
{
    static const unsigned char images[] = { 0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8 };
    static const unsigned char labels[] = { 0, 0, 8, 1, 0, 0, 0, 4, 7, 9, 1, 2 };
    FILE *file = fopen("whole-images", "wb");
    cr_assert_eq(fwrite(images, 1, sizeof images, file), sizeof images);
    fclose(file);
    file = fopen("other-labels", "wb");
    cr_assert_eq(fwrite(labels, 1, sizeof labels, file), sizeof labels);
    fclose(file);
    try_variants("whole-images", "variant-images", try_sources, (void *)pairs);
}

static void try_folder(const char *path, void *context)
{
    (void)path;
    (void)context;
    read_all("{\"source\": \"damaged-pictures\", \"resize\": [9, 8]}");
    read_all("{\"source\": \"damaged-pictures\", \"channels\": 4, \"damaged\": \"skip\"}");
}

Test(damaged, pictures_are_refused_or_read)
{
    static const char *const names[] = { "10/colour.jpg", "10/grey.JPEG", "9/progressive.jpg", "10/colour.png",
                                         "9/palette.png", "9/interlaced.png" };
    mkdir("damaged-pictures", 0755);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[1024];
        snprintf(path, sizeof path, PICTURES "%s", names[i]);
        try_variants(path, "damaged-pictures/variant.png", try_folder, NULL);
    }
}
