/* Reading the HDF5 case files, and comparing with what they hold (tests/golden/README.md). */
#ifndef STRATA_TESTS_GOLDEN_FILE_H
#define STRATA_TESTS_GOLDEN_FILE_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/shape.h"

struct golden_array {
    struct shape shape;
    size_t count;
    bool integer;   /* ints is set, else values */
    float *values;
    int *ints;
    double f64_dev, tolerance; /* 0 where there is none */
};

hid_t golden_open(const char *path);                 /* negative: cannot be opened */
bool golden_has(hid_t file, const char *name);       /* a dataset or group */
bool golden_has_attr(hid_t file, const char *name);
char *golden_attr(hid_t file, const char *name);     /* a string attribute, free it; NULL: none */
char *golden_dataset_attr(hid_t file, const char *dataset, const char *name);
long golden_attr_int(hid_t file, const char *group, const char *name); /* 0: none */
bool golden_read(hid_t file, const char *name, struct golden_array *array);
bool golden_as_float(struct golden_array *array);    /* turns integers into values */
void golden_free(struct golden_array *array);

/* Whether got is within the tolerance of the README of expected; when exact, equal. When not, message gets `what` and the
 * first element that differs. */
bool golden_close(const char *what, const float *got, const struct golden_array *expected, bool exact, char *message,
                  size_t size);

#endif
