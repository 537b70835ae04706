#include "train/numbers.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

static bool in_range(const struct field *field, double v)
{
    return (field->min == 0 && field->max == 0) || (v >= field->min && v <= field->max);
}

bool strata_numbers_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                          strata_error *err)
{
    struct numbers *numbers = at;
    const bool alone = json_is_number(json);
    const size_t count = alone ? 1 : json_array_size(json);
    (void)flavour;
    if (json_is_null(json) && field->nullable) return true;
    if (count == 0) return strata_fail(err, STRATA_EVALUE, "%s must be a list of numbers", field->name);
    double *v = strata_alloc(count, sizeof *v, err);
    if (!v) return false;
    for (size_t i = 0; i < count; i++) {
        const json_t *item = alone ? json : json_array_get(json, i);
        if (!json_is_number(item) || !in_range(field, json_number_value(item))) {
            free(v);
            return strata_fail(err, STRATA_EVALUE, "%s[%zu] is not a number%s", field->name, i,
                               json_is_number(item) ? " in its range" : "");
        }
        v[i] = json_number_value(item);
    }
    *numbers = (struct numbers){ count, v };
    return true;
}

json_t *strata_numbers_write(const struct field *field, const void *at, enum flavour flavour)
{
    const struct numbers *numbers = at;
    (void)field;
    (void)flavour;
    if (numbers->count == 0) return json_null();
    json_t *list = json_array();
    for (size_t i = 0; list && i < numbers->count; i++) {
        const double v = numbers->v[i];
        const bool whole = v == floor(v) && fabs(v) < 1e15;
        json_array_append_new(list, whole ? json_integer((json_int_t)v) : json_real(v));
    }
    return list;
}

void strata_numbers_release(void *at)
{
    struct numbers *numbers = at;
    free(numbers->v);
    *numbers = (struct numbers){ 0 };
}
