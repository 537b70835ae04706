/* The head of NumPy's .npy: what follows it are numbers, in the order of C.
 * Source: numpy/lib/format.py, which describes versions 1 to 3. */
#ifndef STRATA_DATA_NPY_H
#define STRATA_DATA_NPY_H

#include <stdint.h>

#include "base/shape.h"
#include "data/number.h"

/* What a header says. */
struct npy {
    struct number number;
    int rank;
    uint64_t dim[STRATA_MAX_RANK + 1];
};

/* A file begins with NPY_START bytes; 2 or 4 more are the length of the header, which follows as text. */
enum { NPY_START = 8 };

/* How many bytes that length has, from the start of a file; 0 with STRATA_EFILE when it is no .npy. `what` begins each message. */
size_t strata_npy_length_size(const unsigned char start[NPY_START], const char *what, strata_error *err);
/* The length; false with STRATA_EFILE where it is more than a header needs. */
bool strata_npy_length(const unsigned char *bytes, size_t length_size, size_t *length, const char *what, strata_error *err);

/* Parses a header; STRATA_EFILE when it is not one of numbers that are read here, up to STRATA_MAX_RANK + 1 extents, in C's order. */
bool strata_npy_parse(const char *header, struct npy *npy, const char *what, strata_error *err);

#endif
