/* A list of numbers as a field of a config. */
#ifndef STRATA_TRAIN_NUMBERS_H
#define STRATA_TRAIN_NUMBERS_H

#include "base/fields.h"

struct numbers {
    size_t count; /* 0: null */
    double *v;    /* owned */
};

/* Hooks of a FIELD_CUSTOM whose member is a struct numbers. A list of at least one number is read; null too where the
 * field is nullable; one number alone is a list of one. Whole numbers are written as integers. */
bool strata_numbers_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                          strata_error *err);
json_t *strata_numbers_write(const struct field *field, const void *at, enum flavour flavour);
void strata_numbers_release(void *at);

#endif
