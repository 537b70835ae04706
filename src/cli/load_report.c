#include "cli/load_report.h"

#include "cli/output.h"

static size_t length(char *const *names)
{
    size_t count = 0;
    while (names && names[count]) count++;
    return count;
}

static json_t *list(char *const *names)
{
    json_t *json = json_array();
    for (size_t i = 0; i < length(names); i++) json_array_append_new(json, json_string(names[i]));
    return json;
}

json_t *strata_load_report_json(const strata_load_report *r)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:I}", "loaded", list(r->loaded), "missing", list(r->missing), "unused",
                     list(r->unused), "mismatched", list(r->mismatched), "optimizer_variables",
                     (json_int_t)r->optimizer_variables);
}

static void note_names(const struct command *c, const char *what, char *const *names)
{
    for (size_t i = 0; i < length(names); i++) strata_note(c, "  %s %s", what, names[i]);
}

void strata_note_load_report(const struct command *c, const char *file, const strata_load_report *r)
{
    strata_note(c, "%s: %zu weights loaded, %zu missing, %zu unused, %zu of another shape", file, length(r->loaded),
                length(r->missing), length(r->unused), length(r->mismatched));
    note_names(c, "missing", r->missing);
    note_names(c, "unused", r->unused);
    note_names(c, "of another shape", r->mismatched);
    if (r->optimizer_variables > 0)
        strata_note(c, "  left out: the %zu variables of its optimizer, which come with a whole model alone (.keras, .h5)",
                    r->optimizer_variables);
}
