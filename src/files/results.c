/* Predictions and features as .h5, .npy and .csv. */
#include <strata/arrays.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
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

static void add_npy_values(size_t count, const float *values, struct text *out)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        const unsigned char bytes[] = { (unsigned char)bits, (unsigned char)(bits >> 8),
                                        (unsigned char)(bits >> 16), (unsigned char)(bits >> 24) };
        strata_text_add_bytes(out, (const char *)bytes, sizeof bytes);
    }
}

static void add_csv_header(size_t columns, struct text *out)
{
    for (size_t j = 0; j < columns; j++) strata_text_add(out, "%zu%s", j, j + 1 < columns ? "," : "\n");
}

static void add_csv_rows(size_t rows, size_t columns, const float *values, struct text *out)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            strata_text_add(out, "%.9g%s", (double)values[i * columns + j], j + 1 < columns ? "," : "\n");
}

/* ---- a file in pieces ------------------------------------------------------------------------------------------- */

struct strata_results_file {
    enum { RESULTS_H5, RESULTS_NPY, RESULTS_CSV } kind;
    struct replacing replacing;
    struct h5 *h5;         /* RESULTS_H5 */
    size_t count, *each;   /* of the results, and numbers a row of each; owned */
    char **names;          /* owned */
};

static bool write_text(strata_results_file *f, struct text *text, strata_error *err)
{
    const size_t size = text->length;
    char *bytes = strata_text_take(text, err);
    const bool ok = bytes && strata_replacing_write(&f->replacing, bytes, size, err);
    free(bytes);
    return ok;
}

static bool begin(strata_results_file *f, const strata_result *results, strata_error *err)
{
    struct text head = { 0 };
    for (size_t i = 0; i < f->count; i++) {
        f->each[i] = elements(&results[i], 1);
        if (!(f->names[i] = strata_copy_text(results[i].name, err))) return false;
    }
    if (f->kind == RESULTS_H5) {
        bool ok = (f->h5 = strata_h5_create_file(f->replacing.aside, err)) != NULL;
        for (size_t i = 0; ok && i < f->count; i++) {
            strata_shape shape = { .rank = results[i].rank };
            memcpy(shape.dim, results[i].dim, sizeof shape.dim);
            ok = strata_h5_put_empty(f->h5, f->names[i], &shape, err);
        }
        return ok;
    }
    if (f->kind == RESULTS_NPY)
        add_npy_header(results, &head);
    else
        add_csv_header(f->each[0], &head);
    return write_text(f, &head, err);
}

strata_results_file *strata_results_open(const char *path, const strata_result *results, size_t count, strata_error *err)
{
    strata_results_file *f = strata_results_writable(path, count, err) ? strata_alloc(1, sizeof *f, err) : NULL;
    if (!f) return NULL;
    f->replacing.file = -1;
    f->kind = ends_in(path, ".npy") ? RESULTS_NPY : ends_in(path, ".csv") ? RESULTS_CSV : RESULTS_H5;
    f->count = count;
    if ((f->each = strata_alloc(count, sizeof *f->each, err)) && (f->names = strata_alloc(count, sizeof *f->names, err))
        && strata_replacing_begin(&f->replacing, path, err) && begin(f, results, err))
        return f;
    strata_results_close(f);
    return NULL;
}

bool strata_results_append(strata_results_file *f, size_t result, size_t first, size_t count, const float *values,
                           strata_error *err)
{
    struct text text = { 0 };
    if (count == 0 || f->each[result] == 0) return true;
    if (f->kind == RESULTS_H5) return strata_h5_put_rows(f->h5, f->names[result], first, count, values, err);
    if (f->kind == RESULTS_NPY)
        add_npy_values(count * f->each[result], values, &text);
    else
        add_csv_rows(count, f->each[result], values, &text);
    return write_text(f, &text, err);
}

bool strata_results_commit(strata_results_file *f, strata_error *err)
{
    bool ok = f->kind != RESULTS_H5 || strata_h5_flush(f->h5, err);
    strata_h5_close(f->h5);
    f->h5 = NULL;
    ok = ok && strata_replacing_commit(&f->replacing, err);
    strata_results_close(f);
    return ok;
}

void strata_results_close(strata_results_file *f)
{
    if (!f) return;
    strata_h5_close(f->h5);
    strata_replacing_cancel(&f->replacing);
    for (size_t i = 0; f->names && i < f->count; i++) free(f->names[i]);
    free(f->names);
    free(f->each);
    free(f);
}

bool strata_results_save(const char *path, const strata_result *results, size_t count, strata_error *err)
{
    strata_results_file *file = strata_results_open(path, results, count, err);
    bool ok = file != NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = strata_results_append(file, i, 0, results[i].dim[0], results[i].values, err);
    if (ok) return strata_results_commit(file, err);
    strata_results_close(file);
    return false;
}
