#include "base/json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void refused(const char *text, const char *part)
{
    strata_error err = { 0 };
    cr_assert_null(strata_json_parse(text, strlen(text), "a.json", &err), "%s", text);
    cr_assert_eq(err.code, STRATA_EFILE);
    cr_assert_not_null(strstr(err.message, part), "%s", err.message);
}

Test(json, broken_text_says_where)
{
    refused("{\"a\": 1,\n \"b\" 2}", "a.json: not JSON: line 2, column");
    refused("{\"a\": 1, \"a\": 2}", "duplicate");
    refused("", "a.json: not JSON");
    refused("{\"a\": NaN}", "line 1");
}

Test(json, a_file_that_is_not_there_says_why)
{
    strata_error err = { 0 };
    cr_assert_null(strata_json_read("no-such-folder/a.json", &err));
    cr_assert_eq(err.code, STRATA_EFILE);
    cr_assert_str_eq(err.message, "no-such-folder/a.json: cannot be opened: No such file or directory");
}

Test(json, deep_nesting_is_refused)
{
    char *text = malloc(200001);
    memset(text, '[', 200000);
    text[200000] = '\0';
    refused(text, "not JSON");
    free(text);
}

Test(json, text_is_written_as_python_writes_it)
{
    static const char text[] =
        "{\"a\": [1, 2.5, null, true], \"b\": {\"c\": \"d\"}, \"e\": 0.001, \"f\": 1e-07}";
    strata_error err = { 0 };
    json_t *json = strata_json_parse(text, strlen(text), "test", &err);
    char *written = strata_json_text(json, false, &err);
    json_t *again = strata_json_parse(written, strlen(written), "test", &err);
    cr_assert(strncmp(written, text, 64) == 0, "%s", written);
    cr_assert(json_equal(json, again));
    free(written);
    json_decref(json);
    json_decref(again);
}

Test(json, long_values_are_cut_in_messages)
{
    char brief[STRATA_JSON_BRIEF];
    json_t *json = json_array();
    for (int i = 0; i < 100; i++) json_array_append_new(json, json_integer(i));
    cr_assert_lt(strlen(strata_json_brief(json, brief)), STRATA_JSON_BRIEF);
    cr_assert_str_eq(brief + strlen(brief) - 3, "...");
    json_decref(json);
}

Test(json, kinds_have_their_names)
{
    static const char *const pairs[][2] = { { "1", "an integer" },   { "1.5", "a number" },
                                            { "\"x\"", "a string" }, { "true", "a truth value" },
                                            { "null", "null" },      { "[]", "a list" },
                                            { "{}", "an object" } };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        strata_error err = { 0 };
        json_t *json = strata_json_parse(pairs[i][0], strlen(pairs[i][0]), "test", &err);
        cr_assert_str_eq(strata_json_kind(json), pairs[i][1]);
        json_decref(json);
    }
}
