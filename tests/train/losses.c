/* Losses: values against known ones, gradients against finite differences of the values. */
#include "train/loss.h"

#include "layers/layer.h"
#include "support.h"

enum { SAMPLES = 3, ROWS = 2, COLUMNS = 4, COUNT = SAMPLES * ROWS * COLUMNS };

static struct device *device;

static void set_up(void)
{
    device = open_device();
}

static void tear_down(void)
{
    strata_device_close(device);
}

TestSuite(losses, .init = set_up, .fini = tear_down);

struct numbers {
    float at[COUNT], y[COUNT], weight[SAMPLES], scale;
    int32_t index[SAMPLES * ROWS];
    bool at_logits;
};

struct answer {
    float values[SAMPLES * ROWS], d[COUNT];
};

static struct answer run_loss(const struct object *loss, const struct numbers *in)
{
    strata_error err = { 0 };
    const struct loss_class *class = (const struct loss_class *)loss->class;
    uint32_t words[STEP_ROWS] = { 0 };
    memcpy(&words[STEP_LOSS_SCALE], &in->scale, sizeof in->scale);
    float zeros[COUNT] = { 0 };
    const struct view word_view = put_floats(device, (const float *)words, STEP_ROWS);
    struct loss_step step = {
        .run = strata_run_immediate(device, QUEUE_COMPUTE, &err),
        .plan = { .at = put_floats(device, in->at, COUNT), .d = put_floats(device, zeros, COUNT),
                  .step_words = word_view.buffer },
        .y_true = class->index_labels ? put_floats(device, (const float *)in->index, SAMPLES * ROWS)
                                      : put_floats(device, in->y, COUNT),
        .weight = put_floats(device, in->weight, SAMPLES),
        .values = put_floats(device, zeros, SAMPLES * ROWS),
        .columns = COLUMNS, .sample_rows = ROWS, .rows = SAMPLES * ROWS, .at_logits = in->at_logits,
    };
    ok(step.run);
    ok(class->emit(loss->config, &step, &err));
    struct answer answer;
    get_floats(device, &step.values, answer.values, SAMPLES * ROWS);
    get_floats(device, &step.plan.d, answer.d, COUNT);
    struct buffer *used[] = { step.plan.at.buffer, step.plan.d.buffer, step.plan.step_words,
                              step.y_true.buffer,  step.weight.buffer, step.values.buffer };
    for (size_t i = 0; i < sizeof used / sizeof *used; i++) strata_buffer_free(used[i]);
    strata_run_free(step.run);
    return answer;
}

static double total(const struct answer *answer, const struct numbers *in)
{
    double sum = 0;
    for (int row = 0; row < SAMPLES * ROWS; row++)
        sum += (double)answer->values[row] * (double)in->weight[row / ROWS] * (double)in->scale;
    return sum;
}

enum kind { ANY, CHANCES, ROWS_OF_CHANCES, POSITIVE };

/* Predictions and labels of a kind, away from knots. */
static struct numbers draw(enum kind kind)
{
    struct numbers in = { .weight = { 1, 0.5f, 2 }, .scale = 0.25f };
    for (int i = 0; i < COUNT; i++) {
        const float p = noise((unsigned)i), y = noise((unsigned)i + 500);
        in.at[i] = kind == ANY ? 1.5f * p : 0.5f + 0.4f * p;
        in.y[i] = kind == ANY ? y : kind == POSITIVE ? 1 + 0.7f * y : 0.5f + 0.45f * y;
        if (fabsf(in.at[i] - in.y[i]) < 0.02f) in.y[i] += 0.05f;
    }
    for (int row = 0; row < SAMPLES * ROWS; row++) in.index[row] = row % COLUMNS;
    for (int row = 0; row < SAMPLES * ROWS && kind == ROWS_OF_CHANCES; row++) {
        float sum = 0;
        for (int c = 0; c < COLUMNS; c++) sum += in.y[row * COLUMNS + c];
        for (int c = 0; c < COLUMNS; c++) in.y[row * COLUMNS + c] /= sum;
    }
    return in;
}

static void expect_gradient(const char *json, enum kind kind, bool at_logits)
{
    struct object loss = parse_object(&strata_losses, json);
    struct numbers in = draw(kind);
    in.at_logits = at_logits;
    const struct answer answer = run_loss(&loss, &in);
    for (int i = 0; i < COUNT; i++) {
        const float h = 2e-3f, at = in.at[i];
        in.at[i] = at + h;
        const struct answer above = run_loss(&loss, &in);
        in.at[i] = at - h;
        const struct answer below = run_loss(&loss, &in);
        in.at[i] = at;
        const double slope = (total(&above, &in) - total(&below, &in)) / (2 * (double)h);
        /* rounding of a sum near 3 divided by 2 h, and h^2 times the third derivative */
        cr_assert_float_eq(answer.d[i], slope, 1e-3 + 2e-3 * fabs(slope), "%s: gradient %d is %g, differences give %g",
                           json, i, (double)answer.d[i], slope);
    }
    strata_object_release(&loss);
}

Test(losses, have_the_gradients_of_errors)
{
    expect_gradient("\"mse\"", ANY, false);
    expect_gradient("\"mae\"", ANY, false);
    expect_gradient("\"msle\"", POSITIVE, false);
    expect_gradient("\"log_cosh\"", ANY, false);
    expect_gradient("\"poisson\"", POSITIVE, false);
    expect_gradient("{\"Huber\": {\"delta\": 0.4}}", ANY, false);
    expect_gradient("\"cosine_similarity\"", ANY, false);
}

Test(losses, have_the_gradients_of_hinges)
{
    expect_gradient("\"hinge\"", ANY, false);
    expect_gradient("\"squared_hinge\"", ANY, false);
    expect_gradient("\"categorical_hinge\"", CHANCES, false);
}

Test(losses, have_the_gradients_of_binary_crossentropies)
{
    expect_gradient("\"binary_crossentropy\"", CHANCES, false);
    expect_gradient("{\"BinaryCrossentropy\": {\"label_smoothing\": 0.2}}", CHANCES, false);
    expect_gradient("{\"BinaryCrossentropy\": {\"from_logits\": true}}", ANY, false);
    expect_gradient("\"binary_focal_crossentropy\"", CHANCES, false);
    expect_gradient("{\"BinaryFocalCrossentropy\": {\"apply_class_balancing\": true, \"label_smoothing\": 0.1}}",
                    CHANCES, false);
    expect_gradient("\"binary_focal_crossentropy\"", CHANCES, true);
}

Test(losses, have_the_gradients_of_categorical_crossentropies)
{
    expect_gradient("\"categorical_crossentropy\"", CHANCES, false);
    expect_gradient("\"categorical_crossentropy\"", CHANCES, true);
    expect_gradient("{\"CategoricalCrossentropy\": {\"label_smoothing\": 0.2}}", ROWS_OF_CHANCES, false);
    expect_gradient("\"kl_divergence\"", ROWS_OF_CHANCES, false);
    expect_gradient("\"sparse_categorical_crossentropy\"", CHANCES, false);
    expect_gradient("\"sparse_categorical_crossentropy\"", ANY, true);
    expect_gradient("\"categorical_focal_crossentropy\"", ROWS_OF_CHANCES, false);
    expect_gradient("{\"CategoricalFocalCrossentropy\": {\"from_logits\": true}}", ROWS_OF_CHANCES, false);
    expect_gradient("\"categorical_generalized_cross_entropy\"", CHANCES, false);
}

/* -log(1e-7) = 16.118 is the most that a clipped probability costs; logits know no limit. */
Test(losses, clip_probabilities_but_not_logits)
{
    struct object loss = parse_object(&strata_losses, "\"sparse_categorical_crossentropy\"");
    struct numbers in = draw(ANY);
    for (int i = 0; i < COUNT; i++) in.at[i] = i % COLUMNS == 3 ? 1.0f : 0.0f;
    const struct answer clipped = run_loss(&loss, &in);
    cr_assert_float_eq(clipped.values[0], 16.11809565095832, 1e-4);
    for (int i = 0; i < COUNT; i++) in.at[i] = i % COLUMNS == 3 ? 100.0f : 0.0f;
    in.at_logits = true;
    const struct answer free = run_loss(&loss, &in);
    cr_assert_float_eq(free.values[0], 100, 1e-4);
    strata_object_release(&loss);
}

Test(losses, take_the_logits_of_a_last_softmax_or_sigmoid_where_keras_does)
{
    struct object sparse = parse_object(&strata_losses, "\"sparse_categorical_crossentropy\"");
    struct object kl = parse_object(&strata_losses, "\"kl_divergence\"");
    cr_assert(strata_loss_at_logits(&sparse, ACTIVATION_SOFTMAX));
    cr_assert(strata_loss_at_logits(&sparse, ACTIVATION_SIGMOID));
    cr_assert_not(strata_loss_at_logits(&sparse, ACTIVATION_LINEAR));
    cr_assert_not(strata_loss_at_logits(&kl, ACTIVATION_SOFTMAX));
    strata_object_release(&sparse);
    strata_object_release(&kl);
}

Test(losses, say_which_labels_they_want)
{
    strata_error err = { 0 };
    const struct shape output = { 1, { 10 } }, onehot = { 1, { 9 } }, index = { 0 }, column = { 1, { 1 } };
    struct object sparse = parse_object(&strata_losses, "\"sparse_categorical_crossentropy\"");
    struct object mse = parse_object(&strata_losses, "\"mse\"");
    ok(strata_loss_check(&sparse, &index, &output, &err));
    ok(strata_loss_check(&sparse, &column, &output, &err));
    ok(strata_loss_check(&mse, &index, &column, &err));
    cr_assert_not(strata_loss_check(&mse, &onehot, &output, &err));
    cr_assert_str_eq(err.message, "MeanSquaredError: the labels have shape (None, 9), the model's output (None, 10); they "
                                  "must have the same shape (class indices go with SparseCategoricalCrossentropy)");
    strata_object_release(&sparse);
    strata_object_release(&mse);
}
