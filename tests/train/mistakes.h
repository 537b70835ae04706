/* Users' mistakes of golden/errors.md, row by row: how each is made here. */
#ifndef TESTS_TRAIN_MISTAKES_H
#define TESTS_TRAIN_MISTAKES_H

#include <strata/files.h>
#include <strata/train.h>

/* Makes the mistake; true: it passed as if it were none. */
struct mistake {
    const char *name;  /* of the row in errors.md */
    bool (*make)(const struct mistake *row, strata_error *err); /* NULL: `here` says why there is nothing to make */
    const char *a, *b; /* what `make` works on */
    const char *words; /* in the message */
    const char *here;  /* why this is no mistake, or cannot be made */
};

/* Ends in a row without a name. */
extern const struct mistake mistakes_of_models[], mistakes_of_layers[], mistakes_of_training[], mistakes_of_files[];

#define MLP                                                                                                              \
    "[{\"Input\": {\"shape\": [4]}}, {\"Dense\": {\"units\": 3, \"name\": \"a\"}}, {\"Dense\": {\"units\": 2, \"name\": \"b\"}}]"

strata_model *mistakes_model(const char *json);      /* must load */
strata_context *mistakes_context(void);              /* one for all */

/* Layer a with config b; model a. */
bool make_layer(const struct mistake *row, strata_error *err);
bool make_model(const struct mistake *row, strata_error *err);

#endif
