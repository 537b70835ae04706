/* CLBlast's own parameters for the product of two matrices: how its kernel cuts it into tiles, and from what size on it copies
 * the matrices into that kernel's form first. */
#ifndef STRATA_OPS_CLBLAST_H
#define STRATA_OPS_CLBLAST_H

#include "base/json.h"
#include "ops/measure.h"

/* Tells CLBlast what was chosen for the device, if that is still to be told; from then on it serves as long as the process lives. */
bool strata_clblast_prepare(struct device *device, strata_error *err);

/* How many sets are tried; those that a device cannot run are not legal on it. */
extern const size_t strata_clblast_sets;
bool strata_clblast_legal(const struct device *device, size_t set);

/* A set in words, without what is the same in all; NULL: CLBlast's own parameters. */
enum { STRATA_CLBLAST_TEXT = 160 };
const char *strata_clblast_text(const json_t *set, char text[STRATA_CLBLAST_TEXT]);

/* The ops that CLBlast serves: by which implementation, and how often each runs. */
struct clblast_use {
    const struct request *request;
    const char *implementation;
    size_t times;
};

/* What became of a set, over all uses together. */
struct clblast_measurement {
    json_t *set; /* owned: {"Xgemm": {..}, "GemmRoutine": {..}}; NULL: what CLBlast has by itself */
    enum measured_as as;
    double seconds;
};

/* Measures the uses under CLBlast's own parameters first, which a process has only until others are set, then under each legal set until
 * a time by strata_clock; list[0] is its own, list[*best] the choice. CLBlast is left with whatever was tried last. The list is
 * the caller's, as far as it was filled also where this fails. */
bool strata_clblast_compare(struct meter *meter, const struct clblast_use *uses, size_t count, double until,
                            struct clblast_measurement **list, size_t *list_count, size_t *best, strata_error *err);
void strata_clblast_list_free(struct clblast_measurement *list, size_t count); /* takes NULL */

#endif
