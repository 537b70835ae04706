/* Arithmetic in a job: "0.1 * 0.95 ^ epoch", "epoch < 5 ? lr : lr / 2".
 *
 *   numbers, names of variables, ( ), + - * / % ^ (to the right), < <= > >= == != (1 or 0), ? :
 *   exp log sqrt floor ceil abs sin cos min(a, b) max(a, b) pow(a, b); pi  */
#ifndef STRATA_TRAIN_FORMULA_H
#define STRATA_TRAIN_FORMULA_H

#include <stddef.h>

#include "base/error.h"

struct variable {
    const char *name;
    double value;
};

/* The message shows where the text goes wrong. */
bool strata_formula(const char *text, const struct variable *variables, size_t count, double *value,
                    strata_error *err);

#endif
