/* Predictions and features as .h5, .npy and .csv. */
#include <strata/arrays.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "files/archive.h"
#include "files/h5.h"

static bool ends_in(const char *path, const char *end)
{
    const size_t length = strlen(path), tail = strlen(end);
    return length > tail && strcmp(path + length - tail, end) == 0;
}

bool strata_results_writable(const char *path, size_t count, strata_error *err)
{
    const bool many = ends_in(path, ".h5") || ends_in(path, ".hdf5"),
               one = ends_in(path, ".npy") || ends_in(path, ".csv");
    if (!many && !one)
        return strata_fail(err, STRATA_EUSAGE, "%s: results are written as .h5, .npy or .csv", path);
    if (one && count != 1)
        return strata_fail(err, STRATA_EUSAGE, "%s: holds one array; write %zu arrays to an .h5", path,
                           count);
    return true;
}

static size_t elements(const strata_result *result, int first)
{
    size_t count = 1;
    for (int i = first; i < result->rank; i++) count *= result->dim[i];
    return count;
}

static bool save_h5(const char *path, const strata_result *results, size_t count, strata_error *err)
{
    void *bytes = NULL;
    size_t size = 0;
    struct h5 *file = strata_h5_create(path, err);
    bool ok = file != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        strata_shape shape = { .rank = results[i].rank };
        memcpy(shape.dim, results[i].dim, sizeof shape.dim);
        ok = strata_h5_put_floats(file, results[i].name, &shape, results[i].values, err);
    }
    ok = ok && strata_h5_image(file, &bytes, &size, err) && strata_file_replace(path, bytes, size, err);
    free(bytes);
    strata_h5_close(file);
    return ok;
}

/* NumPy's format 1.0: magic, version, length of the header, a Python dict padded so that the data begins at a multiple
 * of 64 bytes. Source: numpy.lib.format. */
static void add_npy_header(const strata_result *result, struct text *out)
{
    struct text dict = { 0 };
    strata_text_add(&dict, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < result->rank; i++)
        strata_text_add(&dict, "%zu,%s", result->dim[i], i + 1 < result->rank ? " " : "");
    strata_text_add(&dict, "), }");
    const size_t length = (10 + dict.length + 1 + 63) / 64 * 64 - 10;
    const unsigned char head[] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(length & 255), (unsigned char)(length >> 8)
    };
    strata_text_add_bytes(out, (const char *)head, sizeof head);
    strata_text_add(out, "%-*s\n", (int)length - 1, dict.failed ? "" : dict.data);
    out->failed = out->failed || dict.failed;
    strata_text_free(&dict);
}

static void add_npy_values(const strata_result *result, struct text *out)
{
    const size_t count = elements(result, 0);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &result->values[i], sizeof bits);
        const unsigned char bytes[] = { (unsigned char)bits, (unsigned char)(bits >> 8),
                                        (unsigned char)(bits >> 16), (unsigned char)(bits >> 24) };
        strata_text_add_bytes(out, (const char *)bytes, sizeof bytes);
    }
}

static void add_csv(const strata_result *result, struct text *out)
{
    const size_t columns = elements(result, 1), rows = result->rank > 0 ? result->dim[0] : 1;
    for (size_t j = 0; j < columns; j++) strata_text_add(out, "%zu%s", j, j + 1 < columns ? "," : "\n");
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            strata_text_add(out, "%.9g%s", (double)result->values[i * columns + j],
                            j + 1 < columns ? "," : "\n");
}

bool strata_results_save(const char *path, const strata_result *results, size_t count, strata_error *err)
{
    struct text out = { 0 };
    if (!strata_results_writable(path, count, err)) return false;
    if (ends_in(path, ".h5") || ends_in(path, ".hdf5")) return save_h5(path, results, count, err);
    if (ends_in(path, ".npy")) {
        add_npy_header(results, &out);
        add_npy_values(results, &out);
    } else
        add_csv(results, &out);
    const size_t size = out.length;
    char *bytes = strata_text_take(&out, err);
    const bool ok = bytes && strata_file_replace(path, bytes, size, err);
    free(bytes);
    return ok;
}
