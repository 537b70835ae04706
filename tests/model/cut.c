#include <strata/model.h>

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define ok(call) cr_assert((call), "%s", err.message)

/* x -> a -> {b, c} -> add -> d, in Keras 2's form. */
static const char branched[] =
    "{\"class_name\": \"Functional\", \"config\": {\"name\": \"base\", \"layers\": ["
    " {\"class_name\": \"InputLayer\", \"name\": \"x\", \"config\": {\"name\": \"x\", \"batch_input_shape\": [null, 5, 4, 3]},"
    "  \"inbound_nodes\": []},"
    " {\"class_name\": \"Conv2D\", \"name\": \"a\", \"config\": {\"name\": \"a\", \"filters\": 2, \"kernel_size\": 3},"
    "  \"inbound_nodes\": [[[\"x\", 0, 0, {}]]]},"
    " {\"class_name\": \"Conv2D\", \"name\": \"b\", \"config\": {\"name\": \"b\", \"filters\": 6, \"kernel_size\": 1},"
    "  \"inbound_nodes\": [[[\"a\", 0, 0, {}]]]},"
    " {\"class_name\": \"Conv2D\", \"name\": \"c\", \"config\": {\"name\": \"c\", \"filters\": 6, \"kernel_size\": 1},"
    "  \"inbound_nodes\": [[[\"a\", 0, 0, {}]]]},"
    " {\"class_name\": \"Add\", \"name\": \"add\", \"config\": {\"name\": \"add\"},"
    "  \"inbound_nodes\": [[[\"b\", 0, 0, {}], [\"c\", 0, 0, {}]]]},"
    " {\"class_name\": \"Flatten\", \"name\": \"d\", \"config\": {\"name\": \"d\"}, \"inbound_nodes\": [[[\"add\", 0, 0, {}]]]}],"
    " \"input_layers\": [[\"x\", 0, 0]], \"output_layers\": [[\"d\", 0, 0]]}}";

static strata_model *base(void)
{
    strata_error err = { 0 };
    strata_model *model = strata_model_from_json(branched, &err);
    ok(model);
    return model;
}

Test(cut, a_branch_goes_when_nothing_leads_from_it_to_the_end)
{
    strata_error err = { 0 };
    strata_model *model = base();
    ok(strata_model_cut(model, "c", &err));
    cr_assert_eq(strata_model_layer_count(model), 3);
    cr_assert_str_eq(strata_layer_name(strata_model_layer(model, 2)), "c");
    const strata_shape out = strata_model_output_shape(model);
    cr_assert(out.rank == 3 && out.dim[0] == 3 && out.dim[1] == 2 && out.dim[2] == 6);
    char *json = strata_model_to_json(model, STRATA_FLAVOUR_KERAS2, &err);
    ok(json);
    cr_assert_not_null(strstr(json, "\"output_layers\": [[\"c\", 0, 0]]"));
    free(json);
    strata_model_free(model);
}

Test(cut, pooling_follows_the_branches)
{
    strata_error err = { 0 };
    strata_model *model = base();
    ok(strata_model_cut(model, "add", &err) && strata_model_pool(model, STRATA_POOLING_MAX, &err));
    cr_assert_eq(strata_model_layer_count(model), 6);
    cr_assert_str_eq(strata_layer_class_name(strata_model_layer(model, 5)), "GlobalMaxPooling2D");
    const strata_shape out = strata_model_output_shape(model);
    cr_assert(out.rank == 1 && out.dim[0] == 6);
    strata_model_free(model);
}

Test(cut, what_cannot_be_cut_or_pooled_is_refused)
{
    strata_error err = { 0 };
    strata_model *model = base();
    cr_assert_not(strata_model_cut(model, "e", &err));
    cr_assert_str_eq(err.message, "No such layer: e. Existing layers are: ['x', 'a', 'b', 'c', 'add', 'd'].");
    cr_assert_not(strata_model_pool(model, STRATA_POOLING_AVG, &err));
    cr_assert_not_null(strstr(err.message, "its output has 1 axes besides the batch"));
    strata_model_free(model);
}

Test(cut, a_sequential_ends_at_the_layer)
{
    strata_error err = { 0 };
    strata_model *model = strata_model_from_json("[{\"Input\": {\"shape\": [3]}}, {\"Dense\": {\"units\": 4, \"name\": \"a\"}},"
                                                 " {\"Dense\": {\"units\": 5}}]", &err);
    ok(model);
    ok(strata_model_cut(model, "a", &err));
    ok(strata_model_add(model, strata_layer_create("Dense", "{\"units\": 2}", &err), &err));
    cr_assert_eq(strata_model_layer_count(model), 2);
    cr_assert_eq(strata_model_output_shape(model).dim[0], 2);
    strata_model_free(model);
}
