#include "layers/fields_common.h"

const char *const strata_data_formats[] = { "channels_last", "channels_first", NULL };
const char *const strata_paddings[] = { "valid", "same", NULL };

bool strata_parse_unset(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                        strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    (void)flavour;
    (void)at;
    if (!json || json_is_null(json) || json_is_false(json) || json_integer_value(json) == 1) return true;
    return strata_fail(err, STRATA_EVALUE, "%s is %s, which is not supported; leave the key out", field->name,
                       strata_json_brief(json, brief));
}

bool strata_parse_ignored(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                          strata_error *err)
{
    (void)field;
    (void)json;
    (void)flavour;
    (void)at;
    (void)err;
    return true;
}

bool strata_check_data_format(int data_format, strata_error *err)
{
    if (data_format != CHANNELS_FIRST) return true;
    return strata_fail(
        err, STRATA_EVALUE,
        "data_format is \"channels_first\", which is not supported; use \"channels_last\" and put the "
        "channels last in the data and the input shape (weights keep their layout)");
}
