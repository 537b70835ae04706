/* Config values that are a number or a (nested) list of numbers. */
#ifndef STRATA_LAYERS_CONSTANTS_H
#define STRATA_LAYERS_CONSTANTS_H

#include "base/fields.h"
#include "ops/view.h"

/* count 0: null. A single number is a list of one that is written as a number. */
struct constants {
    double *v; /* owned */
    size_t count;
    bool single;
};

/* Hooks of a FIELD_CUSTOM; nested lists become one. */
bool strata_constants_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                          strata_error *err);
json_t *strata_constants_write(const struct field *field, const void *at, enum flavour flavour);
void strata_constants_release(void *at);

/* Puts `places` numbers on the device: the list, which has that many, or its only number for all. */
bool strata_constants_store(const struct constants *constants, size_t places, struct run *run, const struct view *to,
                            strata_error *err);

#endif
