/* Keras's LossScaleOptimizer: its config, its arithmetic, and steps that are left out. */
#include "train/loss_scaling.h"

#include <strata/train.h>

#include "model/model.h"
#include "support.h"
#include "train/training.h"

enum { SAMPLES = 8, INPUTS = 3 };

static strata_data *make_data(void)
{
    static float x[SAMPLES * INPUTS], y[SAMPLES];
    strata_error err = { 0 };
    for (unsigned i = 0; i < SAMPLES * INPUTS; i++) x[i] = noise(i);
    for (unsigned i = 0; i < SAMPLES; i++) y[i] = 40 + noise(500 + i);
    const strata_array xs = { .type = STRATA_FLOAT32, .rank = 2, .dim = { SAMPLES, INPUTS }, .values = x };
    const strata_array ys = { .type = STRATA_FLOAT32, .rank = 2, .dim = { SAMPLES, 1 }, .values = y };
    strata_data *data = strata_data_from_arrays(&xs, &ys, NULL, &err);
    ok(data);
    return data;
}

static strata_model *make_model(const char *compile)
{
    strata_error err = { 0 };
    strata_model *model = strata_model_from_json("[{\"Input\": {\"shape\": [3]}}, {\"Dense\": {\"units\": 1}}]", &err);
    const float kernel[] = { 0.5f, -0.25f, 1 }, bias[] = { 0.125f };
    ok(model);
    ok(strata_model_compile(model, compile, &err));
    ok(strata_model_set_weight(model, 0, kernel, 3, &err) && strata_model_set_weight(model, 1, bias, 1, &err));
    return model;
}

/* So many steps, each on all samples. */
static void train(strata_model *model, strata_data *data, size_t steps)
{
    strata_error err = { 0 };
    const strata_context_config plain = { 0 };
    strata_context *context = strata_context_create(&plain, &err);
    strata_fit_config config = strata_fit_defaults();
    strata_history *history = NULL;
    ok(context);
    config.batch_size = SAMPLES;
    config.epochs = steps;
    config.shuffle = false;
    config.progress = NULL;
    ok(strata_model_fit(model, context, data, &config, &history, &err));
    strata_history_free(history);
    strata_context_free(context);
}

static void kernel_of(strata_model *model, float *kernel)
{
    strata_error err = { 0 };
    ok(strata_model_get_weight(model, 0, kernel, INPUTS, &err));
}

static const struct training *training_of(const strata_model *model)
{
    return strata_model_training(model);
}

Test(loss_scaling, doubles_after_good_steps_and_halves_after_a_bad_one)
{
    struct loss_scaling s = strata_loss_scaling_usual();
    cr_assert(s.on && s.scale == 32768 && s.growth == 2000);
    for (int i = 0; i < 1999; i++) strata_loss_scaling_step(&s, true);
    cr_assert(s.scale == 32768 && s.good == 1999);
    strata_loss_scaling_step(&s, true);
    cr_assert(s.scale == 65536 && s.good == 0);
    strata_loss_scaling_step(&s, true);
    strata_loss_scaling_step(&s, false);
    cr_assert(s.scale == 32768 && s.good == 0);
}

/* The error is 40 or so: its square's gradient, 80 or so, times 1e38 is no float. Halved eight times it is one. */
Test(loss_scaling, a_step_with_gradients_that_are_not_finite_leaves_weights_and_halves_the_scale)
{
    strata_data *data = make_data();
    strata_model *model = make_model("{\"optimizer\": {\"LossScaleOptimizer\": {\"inner_optimizer\": {\"Nadam\": {\"learning_rate\": 0.01}},"
                                     " \"initial_scale\": 1e38}}, \"loss\": \"mse\"}");
    const float before[] = { 0.5f, -0.25f, 1 };
    float after[INPUTS];
    train(model, data, 3);
    kernel_of(model, after);
    for (int i = 0; i < INPUTS; i++) cr_assert_eq(after[i], before[i]);
    cr_assert_float_eq(training_of(model)->scaling.scale, 1e38 / 8, 1e31);
    cr_assert_eq(training_of(model)->iteration, 0);
    cr_assert_eq(training_of(model)->scalar, 1, "Nadam's product has not moved");
    train(model, data, 20);
    kernel_of(model, after);
    cr_assert_neq(after[0], before[0]);
    const struct loss_scaling *s = &training_of(model)->scaling;
    cr_assert_eq(training_of(model)->iteration, s->good, "all steps that were not left out");
    cr_assert(s->good > 10 && s->good < 20, "%lld good steps", (long long)s->good);
    strata_model_free(model);
    strata_data_free(data);
}

/* Multiplying by a power of two and dividing again rounds nothing. */
Test(loss_scaling, good_steps_are_those_of_the_optimizer_inside)
{
    strata_data *data = make_data();
    strata_model *scaled = make_model("{\"optimizer\": {\"LossScaleOptimizer\": {\"inner_optimizer\": {\"Adam\": {\"learning_rate\": 0.05,"
                                      " \"clipnorm\": 3}}, \"initial_scale\": 8, \"dynamic_growth_steps\": 3}}, \"loss\": \"mse\"}");
    strata_model *plain = make_model("{\"optimizer\": {\"Adam\": {\"learning_rate\": 0.05, \"clipnorm\": 3}}, \"loss\": \"mse\"}");
    float a[INPUTS], b[INPUTS];
    train(scaled, data, 7);
    train(plain, data, 7);
    kernel_of(scaled, a);
    kernel_of(plain, b);
    for (int i = 0; i < INPUTS; i++) cr_assert_eq(a[i], b[i]);
    cr_assert(training_of(scaled)->scaling.scale == 32 && training_of(scaled)->scaling.good == 1);
    strata_model_free(scaled);
    strata_model_free(plain);
    strata_data_free(data);
}

Test(loss_scaling, is_put_around_the_optimizer_of_a_mixed_float16_model_unless_told_not_to)
{
    strata_model *model = make_model("{\"optimizer\": \"sgd\", \"loss\": \"mse\", \"dtype_policy\": \"mixed_float16\"}");
    cr_assert(training_of(model)->scaling.on);
    strata_model_free(model);
    model = make_model("{\"optimizer\": \"sgd\", \"loss\": \"mse\", \"dtype_policy\": \"mixed_float16\", \"auto_scale_loss\": false}");
    cr_assert_not(training_of(model)->scaling.on);
    strata_model_free(model);
    model = make_model("{\"optimizer\": \"sgd\", \"loss\": \"mse\", \"dtype_policy\": \"mixed_bfloat16\"}");
    cr_assert_not(training_of(model)->scaling.on);
    strata_model_free(model);
}

static void expect_refused(const char *compile, const char *wanted)
{
    strata_error err = { 0 };
    strata_model *model = strata_model_from_json("[{\"Input\": {\"shape\": [3]}}, {\"Dense\": {\"units\": 1}}]", &err);
    ok(model);
    cr_assert_not(strata_model_compile(model, compile, &err), "%s", compile);
    cr_assert(strstr(err.message, wanted), "%s", err.message);
    strata_model_free(model);
}

Test(loss_scaling, refuses_what_it_cannot_do)
{
    expect_refused("{\"optimizer\": \"LossScaleOptimizer\", \"loss\": \"mse\"}", "inner_optimizer");
    expect_refused("{\"optimizer\": {\"LossScaleOptimizer\": {\"inner_optimizer\": \"adam\", \"initial_scale\": 0}}, \"loss\": \"mse\"}",
                   "initial_scale is 0");
    expect_refused("{\"optimizer\": {\"LossScaleOptimizer\": {\"inner_optimizer\": \"adam\", \"clipnorm\": 1}}, \"loss\": \"mse\"}",
                   "clipnorm belongs to the inner_optimizer");
    expect_refused("{\"optimizer\": {\"SGD\": {\"gradient_accumulation_steps\": 2}}, \"loss\": \"mse\", \"dtype_policy\": \"mixed_float16\"}",
                   "gradient_accumulation_steps does not go with a scaled loss");
    expect_refused("{\"optimizer\": \"sgd\", \"loss\": \"mse\", \"dtype_policy\": \"float16\"}", "dtype_policy is float16");
}
