#include "layers/constants.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "ops/map.h"

enum { MAX_DEPTH = 8 };

/* How many numbers there are; false when something else is among them. */
static bool count_numbers(const json_t *json, int depth, size_t *count)
{
    if (json_is_number(json)) {
        ++*count;
        return isfinite(json_number_value(json));
    }
    if (!json_is_array(json) || depth == 0) return false;
    for (size_t i = 0; i < json_array_size(json); i++)
        if (!count_numbers(json_array_get(json, i), depth - 1, count)) return false;
    return true;
}

static void copy_numbers(const json_t *json, double **to)
{
    if (json_is_number(json)) *(*to)++ = json_number_value(json);
    for (size_t i = 0; i < json_array_size(json); i++) copy_numbers(json_array_get(json, i), to);
}

bool strata_constants_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                            strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    struct constants numbers = { .single = json_is_number(json) };
    (void)flavour;
    if (!json_is_null(json) && (!count_numbers(json, MAX_DEPTH, &numbers.count) || numbers.count == 0))
        return strata_fail(err, STRATA_EVALUE, "%s is %s; null, a number or a list of numbers is expected",
                           field->name, strata_json_brief(json, brief));
    if (numbers.count > 0) {
        numbers.v = strata_alloc(numbers.count, sizeof *numbers.v, err);
        if (!numbers.v) return false;
        double *to = numbers.v;
        copy_numbers(json, &to);
    }
    *(struct constants *)at = numbers;
    return true;
}

json_t *strata_constants_write(const struct field *field, const void *at, enum flavour flavour)
{
    const struct constants *numbers = at;
    (void)field;
    (void)flavour;
    if (numbers->count == 0) return json_null();
    if (numbers->single) return json_real(numbers->v[0]);
    json_t *list = json_array();
    for (size_t i = 0; list && i < numbers->count; i++) {
        if (json_array_append_new(list, json_real(numbers->v[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

void strata_constants_release(void *at)
{
    struct constants *numbers = at;
    free(numbers->v);
    *numbers = (struct constants){ 0 };
}

bool strata_constants_store(const struct constants *constants, size_t places, struct run *run, const struct view *to,
                            strata_error *err)
{
    float *all = strata_alloc(places, sizeof *all, err);
    if (!all) return false;
    for (size_t i = 0; i < places; i++) all[i] = (float)constants->v[constants->count == 1 ? 0 : i];
    const bool ok = strata_op_store(run, all, places, to, err);
    free(all);
    return ok;
}
