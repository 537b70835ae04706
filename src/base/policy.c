#include "base/policy.h"

#include <string.h>

static const struct {
    const char *name, *policy;
} kinds[STORAGE_KINDS] = {
    [STORAGE_FLOAT32] = { "float32", "float32" },
    [STORAGE_FLOAT16] = { "float16", "mixed_float16" },
    [STORAGE_BFLOAT16] = { "bfloat16", "mixed_bfloat16" },
};

const char *strata_storage_name(enum storage storage)
{
    return kinds[storage].name;
}

const char *strata_policy_name(enum storage storage)
{
    return kinds[storage].policy;
}

bool strata_policy_read(const json_t *json, const char *key, enum storage *storage, bool *stated, strata_error *err)
{
    const char *name = json_string_value(json);
    char brief[STRATA_JSON_BRIEF];
    *stated = json && !json_is_null(json);
    if (json_is_object(json))
        name = json_string_value(json_object_get(json_object_get(json, "config"), "name"));
    for (int i = 0; *stated && name && i < STORAGE_KINDS; i++)
        if (strcmp(name, kinds[i].policy) == 0) {
            *storage = (enum storage)i;
            return true;
        }
    return !*stated
        || strata_fail(err, STRATA_EJOB, "%s is %s; weights are kept in float32: give \"float32\", \"mixed_float16\" or "
                       "\"mixed_bfloat16\"", key, name ? name : strata_json_brief(json, brief));
}
