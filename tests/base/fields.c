#include "base/fields.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- a small world of classes: shapes with paints --------------------------------------------------------------- */

struct paint {
    double gloss;
};

static const struct field paint_fields[] = {
    { "gloss", FIELD_FLOAT, offsetof(struct paint, gloss), .otherwise = 0.5, .min = 0, .max = 1 },
    { 0 },
};

static const char *const oil_aliases[] = { "oil", NULL };
static const struct class oil = { "OilPaint", sizeof(struct paint), paint_fields, .aliases = oil_aliases };
static const struct class water = { .name = "WaterPaint",
                                    .config_size = sizeof(struct paint),
                                    .fields = paint_fields };
static const struct class *const paint_classes[] = { &oil, &water, NULL };
static const struct registry paints = { "paint", "test.paints", paint_classes };

struct box {
    long units, depth;
    double rate, limit;
    bool lid;
    int padding;
    struct ints size, axes;
    char *label;
    struct object paint;
    int corners;
};

static bool parse_corners(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                          strata_error *err)
{
    (void)flavour;
    *(int *)at = json_is_string(json) ? (int)strlen(json_string_value(json)) : -1;
    return *(int *)at >= 0 || strata_fail(err, STRATA_EVALUE, "%s is no text", field->name);
}

static json_t *write_corners(const struct field *field, const void *at, enum flavour flavour)
{
    (void)field;
    (void)flavour;
    return json_integer(*(const int *)at);
}

static const char *const paddings[] = { "valid", "same", NULL };
static const struct field box_fields[] = {
    { "units", FIELD_INT, offsetof(struct box, units), .required = true, .min = 1, .max = INFINITY,
      .help = "How many." },
    { "depth", FIELD_INT, offsetof(struct box, depth), .nullable = true, .null_default = true },
    { "rate", FIELD_FLOAT, offsetof(struct box, rate), .keras2 = "alpha", .otherwise = 0.3, .min = 0,
      .max = 1, .above_min = true },
    { "limit", FIELD_FLOAT, offsetof(struct box, limit), .null_default = true, .nullable = true },
    { "lid", FIELD_BOOL, offsetof(struct box, lid), .otherwise = true },
    { "padding", FIELD_CHOICE, offsetof(struct box, padding), .choices = paddings },
    { "size", FIELD_INTS, offsetof(struct box, size), .count = 2, .otherwise = 3, .min = 1, .max = INFINITY },
    { "axes", FIELD_INTS, offsetof(struct box, axes), .otherwise = -1, .only_keras3 = true },
    { "label", FIELD_STRING, offsetof(struct box, label), .text = "box", .nullable = true },
    { "paint", FIELD_OBJECT, offsetof(struct box, paint), .registry = &paints, .text = "OilPaint" },
    { "corners", FIELD_CUSTOM, offsetof(struct box, corners), .text = "\"four\"", .parse = parse_corners,
      .write = write_corners, .silent = true },
    { 0 },
};

static bool check_box(void *config, enum flavour flavour, strata_error *err)
{
    const struct box *box = config;
    (void)flavour;
    return box->units != 13 || strata_fail(err, STRATA_EVALUE, "13 units bring bad luck");
}

static const struct class box_class = { "WoodenBox", sizeof(struct box), box_fields, .check = check_box };
static const struct class *const box_classes[] = { &box_class, NULL };
static const struct registry boxes = { "box", "test.boxes", box_classes };

static json_t *json_of(const char *text)
{
    strata_error err = { 0 };
    json_t *json = strata_json_parse(text, strlen(text), "test", &err);
    cr_assert_not_null(json, "%s", err.message);
    return json;
}

static struct box parsed(const char *text, enum flavour flavour)
{
    strata_error err = { 0 };
    struct box box;
    json_t *json = json_of(text);
    cr_assert(strata_config_parse(box_fields, json, flavour, NULL, &box, &err), "%s", err.message);
    json_decref(json);
    return box;
}

static void refused(const char *text, const char *message)
{
    strata_error err = { 0 };
    struct box box;
    json_t *json = json_of(text);
    cr_assert_not(strata_config_parse(box_fields, json, STRATA_KERAS3, NULL, &box, &err), "%s", text);
    cr_assert_str_eq(err.message, message);
    cr_assert_eq(err.code, STRATA_EVALUE);
    json_decref(json);
}

static void object_refused(const struct registry *registry, const char *text, const char *message)
{
    strata_error err = { 0 };
    struct object object;
    json_t *json = json_of(text);
    cr_assert_not(strata_object_parse(registry, json, STRATA_KERAS3, &object, &err), "%s", text);
    cr_assert_str_eq(err.message, message);
    cr_assert_null(object.class);
    json_decref(json);
}

/* ---- configs ---------------------------------------------------------------------------------------------------- */

Test(fields, what_is_not_given_has_the_default_of_the_table)
{
    struct box box = parsed("{\"units\": 4}", STRATA_KERAS3);
    cr_assert_eq(box.units, 4);
    cr_assert_eq(box.depth, STRATA_NO_INT);
    cr_assert_eq(box.rate, 0.3);
    cr_assert(isnan(box.limit));
    cr_assert(box.lid);
    cr_assert_eq(box.padding, 0);
    cr_assert(box.size.count == 2 && box.size.v[0] == 3 && box.size.v[1] == 3);
    cr_assert(box.axes.count == 1 && box.axes.v[0] == -1);
    cr_assert_str_eq(box.label, "box");
    cr_assert_eq(box.paint.class, &oil);
    cr_assert_eq(((struct paint *)box.paint.config)->gloss, 0.5);
    cr_assert_eq(box.corners, 4);
    strata_config_release(box_fields, &box);
    cr_assert(!box.label && !box.paint.class && !box.paint.config);
}

Test(fields, every_type_is_read)
{
    struct box box =
        parsed("{\"units\": 2, \"depth\": -7, \"rate\": 1, \"limit\": 1e-3, \"lid\": false,"
               " \"padding\": \"same\", \"size\": [5, 6], \"axes\": [1, 2, 3], \"label\": null,"
               " \"paint\": {\"WaterPaint\": {\"gloss\": 0.25}}, \"corners\": \"abc\", \"# note\": 1}",
               STRATA_KERAS3);
    cr_assert(box.units == 2 && box.depth == -7 && box.rate == 1 && box.limit == 1e-3 && !box.lid);
    cr_assert(box.padding == 1 && box.size.v[0] == 5 && box.size.v[1] == 6 && box.axes.count == 3);
    cr_assert_null(box.label);
    cr_assert_eq(box.paint.class, &water);
    cr_assert_eq(((struct paint *)box.paint.config)->gloss, 0.25);
    cr_assert_eq(box.corners, 3);
    strata_config_release(box_fields, &box);
}

Test(fields, one_integer_stands_for_all)
{
    struct box box = parsed("{\"units\": 2, \"size\": 7, \"axes\": 3}", STRATA_KERAS3);
    cr_assert(box.size.count == 2 && box.size.v[0] == 7 && box.size.v[1] == 7);
    cr_assert(box.axes.count == 1 && box.axes.v[0] == 3);
    strata_config_release(box_fields, &box);
}

Test(fields, both_spellings_are_read_in_both_flavours_but_not_at_once)
{
    struct box two = parsed("{\"units\": 2, \"alpha\": 0.5}", STRATA_KERAS3);
    struct box three = parsed("{\"units\": 2, \"rate\": 0.5}", STRATA_KERAS2);
    cr_assert(two.rate == 0.5 && three.rate == 0.5);
    strata_config_release(box_fields, &two);
    strata_config_release(box_fields, &three);
    refused("{\"units\": 2, \"rate\": 0.5, \"alpha\": 0.5}",
            "\"rate\" and \"alpha\" are two names of one setting; leave one out");
}

Test(fields, a_value_outside_its_range_is_refused)
{
    refused("{\"units\": -2}", "units is -2; it must be at least 1");
    refused("{\"units\": 1, \"rate\": 1.5}", "rate is 1.5; it must be above 0 and at most 1");
    refused("{\"units\": 1, \"rate\": 0}", "rate is 0; it must be above 0 and at most 1");
    refused("{\"units\": 1, \"alpha\": 2}", "alpha is 2; it must be above 0 and at most 1");
    refused("{\"units\": 1, \"size\": 0}", "size is 0; it must be at least 1");
    refused("{\"units\": 1, \"size\": [1, 0]}", "size is [1, 0]; each must be at least 1");
}

Test(fields, a_value_of_another_type_is_refused)
{
    refused("{\"units\": \"2\"}", "units is \"2\" (a string); an integer is expected");
    refused("{\"units\": 2.5}", "units is 2.5 (a number); an integer is expected");
    refused("{\"units\": null}", "units is null; an integer is expected");
    refused("{\"units\": 1, \"rate\": true}", "rate is true (a truth value); a number is expected");
    refused("{\"units\": 1, \"lid\": 1}", "lid is 1 (an integer); true or false is expected");
    refused("{\"units\": 1, \"label\": 1}", "label is 1 (an integer); a string is expected");
    refused("{\"units\": 1, \"size\": [1, 2, 3]}",
            "size is [1, 2, 3] (a list); a list of 2 integers, or one integer for all of them, is expected");
    refused("{\"units\": 1, \"axes\": [1, \"x\"]}",
            "axes is [1, \"x\"] (a list); a list of 1 to 8 integers is expected");
    refused("{\"units\": 1, \"axes\": []}", "axes is [] (a list); a list of 1 to 8 integers is expected");
    refused("{\"units\": 1, \"axes\": [1,2,3,4,5,6,7,8,9]}",
            "axes is [1, 2, 3, 4, 5, 6, 7, 8, 9] (a list); a list of 1 to 8 integers is expected");
    refused("{\"units\": 1, \"paint\": null}", "paint is null; a paint is expected");
    refused("[1]", "the config is [1] (a list); an object is expected");
}

Test(fields, a_choice_that_is_none_is_refused)
{
    refused("{\"units\": 1, \"padding\": \"full\"}",
            "padding is \"full\"; it must be one of \"valid\", \"same\"");
}

Test(fields, an_unknown_key_is_refused_with_the_nearest)
{
    refused("{\"unit\": 2}", "unknown key \"unit\"; did you mean \"units\"?");
    refused("{\"units\": 2, \"dilation_rate\": 2}", "unknown key \"dilation_rate\"; the keys are units, "
                                                    "depth, rate, alpha, limit, lid, padding, size, axes, "
                                                    "label, paint");
}

Test(fields, a_required_key_must_be_there)
{
    refused("{}", "units is missing; an integer is required");
}

Test(fields, keys_of_the_caller_are_let_through)
{
    static const char *const also[] = { "name", NULL };
    strata_error err = { 0 };
    struct box box;
    json_t *json = json_of("{\"units\": 2, \"name\": \"b\"}");
    cr_assert(strata_config_parse(box_fields, json, STRATA_KERAS3, also, &box, &err), "%s", err.message);
    json_decref(json);
    strata_config_release(box_fields, &box);
}

Test(fields, errors_inside_an_object_say_where)
{
    refused("{\"units\": 1, \"paint\": \"OilPint\"}",
            "paint: unknown name \"OilPint\"; did you mean \"OilPaint\"?");
    refused("{\"units\": 1, \"paint\": {\"oil\": {\"gloss\": 2}}}",
            "paint: OilPaint: gloss is 2; it must be from 0 to 1");
}

Test(fields, what_was_written_reads_back_the_same)
{
    strata_error err = { 0 };
    struct box box =
        parsed("{\"units\": 2, \"depth\": 9, \"rate\": 0.1, \"lid\": false, \"padding\": \"same\","
               " \"size\": [5, 6], \"axes\": [1, 2], \"label\": \"x\", \"paint\": \"water_paint\"}",
               STRATA_KERAS3);
    json_t *json = json_object();
    cr_assert(strata_config_write(box_fields, &box, STRATA_KERAS3, json, &err), "%s", err.message);
    char *text = strata_json_text(json, false, &err);
    cr_assert_str_eq(text,
                     "{\"units\": 2, \"depth\": 9, \"rate\": 0.1, \"limit\": null, \"lid\": false, "
                     "\"padding\": \"same\", \"size\": [5, 6], \"axes\": [1, 2], \"label\": \"x\", "
                     "\"paint\": {\"module\": \"test.paints\", \"class_name\": \"WaterPaint\", \"config\": "
                     "{\"gloss\": 0.5}, \"registered_name\": null}}");
    struct box again = parsed(text, STRATA_KERAS3);
    cr_assert(again.units == 2 && again.rate == box.rate && isnan(again.limit)
              && again.paint.class == &water);
    free(text);
    json_decref(json);
    strata_config_release(box_fields, &box);
    strata_config_release(box_fields, &again);
}

Test(fields, keras_2_gets_its_own_keys)
{
    strata_error err = { 0 };
    struct box box = parsed("{\"units\": 2}", STRATA_KERAS3);
    json_t *json = json_object();
    cr_assert(strata_config_write(box_fields, &box, STRATA_KERAS2, json, &err), "%s", err.message);
    cr_assert_not_null(json_object_get(json, "alpha"));
    cr_assert_null(json_object_get(json, "rate"));
    cr_assert_null(json_object_get(json, "axes"));
    cr_assert_null(json_object_get(json, "corners"));
    json_decref(json);
    strata_config_release(box_fields, &box);
}

Test(fields, the_manual_has_a_line_for_each_field)
{
    strata_error err = { 0 };
    struct text text = { 0 };
    strata_fields_manual(box_fields, &text);
    char *manual = strata_text_take(&text, &err);
    cr_assert_not_null(
        strstr(manual, "  units                    integer, at least 1 (required): How many.\n"), "%s",
        manual);
    cr_assert_not_null(strstr(manual, "number, above 0 and at most 1 (default 0.3; Keras 2: alpha)\n"), "%s",
                       manual);
    cr_assert_not_null(strstr(manual, "\"valid\", \"same\" (default \"valid\")\n"), "%s", manual);
    cr_assert_not_null(strstr(manual, "paint (default OilPaint)\n"), "%s", manual);
    cr_assert_null(strstr(manual, "corners"));
    free(manual);
}

/* ---- names and objects ------------------------------------------------------------------------------------------ */

Test(fields, class_names_become_snake_case_as_keras_makes_it)
{
    /* What keras.utils.naming.to_snake_case of Keras 3.15 returned. */
    static const char *const pairs[][2] = {
        { "Dense", "dense" },
        { "MaxPooling2D", "max_pooling2d" },
        { "Conv2DTranspose", "conv2d_transpose" },
        { "ReLU", "re_lu" },
        { "PReLU", "p_re_lu" },
        { "LeakyReLU", "leaky_re_lu" },
        { "ELU", "elu" },
        { "KLDivergence", "kl_divergence" },
        { "RMSprop", "rm_sprop" },
        { "SparseTopKCategoricalAccuracy", "sparse_top_k_categorical_accuracy" },
        { "L1L2", "l1l2" },
        { "SeparableConv2D", "separable_conv2d" },
        { "GlobalAveragePooling2D", "global_average_pooling2d" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char buffer[STRATA_NAME];
        cr_assert_str_eq(strata_snake_case(pairs[i][0], buffer), pairs[i][1]);
    }
}

Test(fields, a_long_class_name_is_cut)
{
    char buffer[STRATA_NAME], name[400];
    memset(name, 'A', sizeof name);
    name[sizeof name - 1] = '\0';
    cr_assert_lt(strlen(strata_snake_case(name, buffer)), STRATA_NAME);
    for (size_t i = 0; i + 1 < sizeof name; i += 2) name[i] = 'b';
    cr_assert_lt(strlen(strata_snake_case(name, buffer)), STRATA_NAME);
}

Test(fields, a_class_is_found_by_name_alias_snake_case_and_registered_name)
{
    cr_assert_eq(strata_class_find(&paints, "OilPaint"), &oil);
    cr_assert_eq(strata_class_find(&paints, "oil"), &oil);
    cr_assert_eq(strata_class_find(&paints, "water_paint"), &water);
    cr_assert_eq(strata_class_find(&paints, "Custom>WaterPaint"), &water);
    cr_assert_null(strata_class_find(&paints, "Mine>WaterPaint"));
    cr_assert_null(strata_class_find(&paints, "waterpaint"));
}

Test(fields, an_object_is_read_from_every_form_that_names_one)
{
    static const char *const forms[] = {
        "\"OilPaint\"",
        "\"oil\"",
        "\"oil_paint\"",
        "{\"OilPaint\": {}}",
        "{\"OilPaint\": null}",
        "{\"# why\": \"shiny\", \"oil\": {\"gloss\": 0.5}}",
        "{\"class_name\": \"OilPaint\", \"config\": {\"gloss\": 0.5}}",
        "{\"class_name\": \"OilPaint\"}",
        "{\"class_name\": \"Custom>OilPaint\", \"config\": {}, \"shared_object_id\": 3}",
        ("{\"module\": \"keras.paints\", \"class_name\": \"OilPaint\", \"config\": {}, \"registered_name\": null,"
         " \"build_config\": {}, \"compile_config\": {}, \"name\": \"p\", \"inbound_nodes\": []}"),
        ("{\"module\": \"builtins\", \"class_name\": \"function\", \"config\": \"oil\","
         " \"registered_name\": \"f\"}"),
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        strata_error err = { 0 };
        struct object object;
        json_t *json = json_of(forms[i]);
        cr_assert(strata_object_parse(&paints, json, STRATA_KERAS3, &object, &err), "%s: %s", forms[i],
                  err.message);
        cr_assert_eq(object.class, &oil);
        cr_assert_eq(((struct paint *)object.config)->gloss, 0.5);
        strata_object_release(&object);
        json_decref(json);
    }
}

Test(fields, null_makes_an_empty_object_that_is_written_as_null)
{
    strata_error err = { 0 };
    struct object object;
    json_t *null = json_null();
    cr_assert(strata_object_parse(&paints, null, STRATA_KERAS3, &object, &err));
    cr_assert_null(object.class);
    cr_assert(json_is_null(strata_object_write(&paints, &object, STRATA_KERAS3, &err)));
    strata_object_release(&object);
}

Test(fields, objects_that_are_none_are_refused)
{
    object_refused(&paints, "\"tar\"", "unknown name \"tar\"; known are OilPaint, WaterPaint");
    object_refused(&paints, "3", "3 (an integer) was given; a paint is expected");
    object_refused(&paints, "{\"oil\": 3}",
                   "oil: 3 (an integer) was given; an object of its arguments is expected");
    object_refused(
        &paints, "{\"oil\": {}, \"water\": {}}",
        "{\"oil\": {}, \"water\": {}} has 2 keys; write {\"Name\": {arguments}} or {\"class_name\": "
        "\"Name\", \"config\": {arguments}}");
    object_refused(&paints, "{\"class_name\": 3}", "class_name is 3 (an integer); a string is expected");
    object_refused(&paints, "{\"class_name\": \"OilPaint\", \"gloss\": 1}",
                   "unknown key \"gloss\" beside \"class_name\"; arguments belong in \"config\"");
    object_refused(&boxes, "\"WoodenBox\"", "WoodenBox: units is missing; an integer is required");
    object_refused(&boxes, "{\"WoodenBox\": {\"units\": 13}}", "WoodenBox: 13 units bring bad luck");
}
