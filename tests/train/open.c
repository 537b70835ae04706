/* Models opened from files that training left: what they were compiled with is as it was. */
#include <strata/train.h>

#include <stdio.h>
#include <strata/files.h>
#include <unistd.h>

#include "support.h"

static const char compile[] =
    "{\"optimizer\": {\"SGD\": {\"learning_rate\": 0.5}}, \"loss\": \"mse\", \"winograd\": false, "
    "\"learning_rate_multipliers\": [[\"dense\", 0], [\"dense_1\", 0.5]]}";

static strata_model *make_model(void)
{
    strata_error err = { 0 };
    strata_model *model = strata_model_from_json("[{\"Input\": {\"shape\": [2]}}, {\"Dense\": {\"units\": 3, \"name\": \"dense\"}}, "
                                                 "{\"Dense\": {\"units\": 1, \"name\": \"dense_1\"}}]", &err);
    ok(model);
    ok(strata_model_compile(model, compile, &err));
    return model;
}

static void train(strata_model *model, float kernels[9])
{
    strata_error err = { 0 };
    float x[] = { 0.3f, -1, 2, 0.5f }, y[] = { 1, -1 };
    const strata_context_config config = { 0 };
    const strata_array xs = { STRATA_FLOAT32, 2, { 2, 2 }, x }, ys = { STRATA_FLOAT32, 2, { 2, 1 }, y };
    strata_data *data = strata_data_from_arrays(&xs, &ys, NULL, &err);
    strata_context *context = strata_context_create(&config, &err);
    const strata_fit_config fit = strata_fit_defaults();
    ok(data);
    ok(context);
    ok(strata_model_fit(model, context, data, &fit, NULL, &err));
    ok(strata_model_get_weight(model, 0, kernels, 6, &err));
    ok(strata_model_get_weight(model, 2, kernels + 6, 3, &err));
    strata_data_free(data);
    strata_context_free(context);
}

Test(open, gives_back_the_learning_rates_by_layer)
{
    strata_error err = { 0 };
    float before[6], kept[9], opened[9];
    strata_model *model = make_model();
    ok(strata_model_save(model, "model.keras", NULL, &err));
    ok(strata_model_get_weight(model, 0, before, 6, &err));
    strata_model *other = strata_model_open("model.keras", &err);
    ok(other);
    unlink("model.keras");
    const strata_model_extras extras = strata_model_carries(other);
    cr_assert(extras.multipliers && extras.winograd && !extras.position);
    train(model, kept);
    train(other, opened);
    cr_assert_arr_eq(opened, kept, sizeof kept);
    cr_assert_arr_eq(opened, before, sizeof before); /* its rate is 0 */
    cr_assert_arr_neq(opened + 6, before + 3, 3 * sizeof *before);
    strata_model_free(model);
    strata_model_free(other);
}

Test(open, of_a_file_of_keras_has_nothing_of_ours)
{
    strata_error err = { 0 };
    strata_model *model = strata_model_open(STRATA_GOLDEN "/files/resume_adam_keras3.keras", &err);
    ok(model);
    const strata_model_extras extras = strata_model_carries(model);
    cr_assert_not(extras.multipliers || extras.winograd || extras.position);
    strata_model_free(model);
}
