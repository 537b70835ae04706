/* Each optimizer's kernel against its formula in double precision, as Keras 3 writes it in update_step. */
#include "train/optimizer.h"

#include "support.h"

enum { COUNT = 37, STEPS = 5 };

/* One element's weight and slots. t counts from 1. */
struct element {
    double w, s[STRATA_MAX_SLOTS];
};

typedef void formula(struct element *e, double g, double lr, int t);

static void sgd(struct element *e, double g, double lr, int t)
{
    (void)t;
    e->w -= lr * g;
}

static void sgd_nesterov(struct element *e, double g, double lr, int t)
{
    (void)t;
    e->s[0] = 0.8 * e->s[0] - lr * g;
    e->w += 0.8 * e->s[0] - lr * g;
}

static void adam(struct element *e, double g, double lr, int t)
{
    e->s[0] = 0.8 * e->s[0] + 0.2 * g;
    e->s[1] = 0.95 * e->s[1] + 0.05 * g * g;
    e->w -= lr * sqrt(1 - pow(0.95, t)) / (1 - pow(0.8, t)) * e->s[0] / (sqrt(e->s[1]) + 1e-3);
}

static void amsgrad(struct element *e, double g, double lr, int t)
{
    e->s[0] = 0.9 * e->s[0] + 0.1 * g;
    e->s[1] = 0.999 * e->s[1] + 0.001 * g * g;
    e->s[2] = fmax(e->s[2], e->s[1]);
    e->w -= lr * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)) * e->s[0] / (sqrt(e->s[2]) + 1e-7);
}

static void adamax(struct element *e, double g, double lr, int t)
{
    e->s[0] = 0.9 * e->s[0] + 0.1 * g;
    e->s[1] = fmax(0.999 * e->s[1], fabs(g));
    e->w -= lr * e->s[0] / ((1 - pow(0.9, t)) * (e->s[1] + 1e-7));
}

static double nadam_momentum(int t)
{
    return 0.9 * (1 - 0.5 * pow(0.96, t));
}

static void nadam(struct element *e, double g, double lr, int t)
{
    double product = 1;
    for (int i = 1; i <= t; i++) product *= nadam_momentum(i);
    const double u = nadam_momentum(t), next = nadam_momentum(t + 1);
    e->s[0] = 0.9 * e->s[0] + 0.1 * g;
    e->s[1] = 0.999 * e->s[1] + 0.001 * g * g;
    const double mean = next * e->s[0] / (1 - product * next) + (1 - u) * g / (1 - product);
    e->w -= lr * mean / (sqrt(e->s[1] / (1 - pow(0.999, t))) + 1e-7);
}

static void rmsprop(struct element *e, double g, double lr, int t)
{
    (void)t;
    e->s[0] = 0.9 * e->s[0] + 0.1 * g * g;
    e->w -= lr * g / sqrt(e->s[0] + 1e-7);
}

static void rmsprop_centered(struct element *e, double g, double lr, int t)
{
    (void)t;
    e->s[0] = 0.9 * e->s[0] + 0.1 * g * g;
    e->s[2] = 0.9 * e->s[2] + 0.1 * g;
    e->s[1] = 0.5 * e->s[1] + lr * g / sqrt(e->s[0] - e->s[2] * e->s[2] + 1e-7);
    e->w -= e->s[1];
}

static void adagrad(struct element *e, double g, double lr, int t)
{
    (void)t;
    e->s[0] += g * g;
    e->w -= lr * g / sqrt(e->s[0] + 1e-7);
}

static void adadelta(struct element *e, double g, double lr, int t)
{
    (void)t;
    e->s[0] = 0.95 * e->s[0] + 0.05 * g * g;
    const double delta = -sqrt(e->s[1] + 1e-4) * g / sqrt(e->s[0] + 1e-4);
    e->s[1] = 0.95 * e->s[1] + 0.05 * delta * delta;
    e->w += lr * delta;
}

static void ftrl(struct element *e, double g, double lr, int t)
{
    (void)t;
    const double l1 = 0.01, l2 = 0.05 + 0.1 / (2 * lr), shrinkage = 0.02;
    const double sum = e->s[0] + g * g;
    e->s[1] += g + 2 * shrinkage * e->w - (sqrt(sum) - sqrt(e->s[0])) / lr * e->w;
    e->w = (fmax(-l1, fmin(l1, e->s[1])) - e->s[1]) / (sqrt(sum) / lr + 2 * l2);
    e->s[0] = sum;
}

static void lion(struct element *e, double g, double lr, int t)
{
    (void)t;
    const double direction = 0.9 * e->s[0] + 0.1 * g;
    e->w -= lr * ((direction > 0) - (direction < 0));
    e->s[0] = 0.99 * e->s[0] + 0.01 * g;
}

static const struct known {
    const char *json;
    formula *formula;
    double lr;
    int slots;
} known[] = {
    { "{\"SGD\": {\"learning_rate\": 0.1}}", sgd, 0.1, 0 },
    { "{\"SGD\": {\"learning_rate\": 0.05, \"momentum\": 0.8, \"nesterov\": true}}", sgd_nesterov, 0.05, 1 },
    { "{\"Adam\": {\"learning_rate\": 0.02, \"beta_1\": 0.8, \"beta_2\": 0.95, \"epsilon\": 0.001}}", adam, 0.02, 2 },
    { "{\"Adam\": {\"learning_rate\": 0.01, \"amsgrad\": true}}", amsgrad, 0.01, 3 },
    { "{\"Adamax\": {\"learning_rate\": 0.01}}", adamax, 0.01, 2 },
    { "{\"Nadam\": {\"learning_rate\": 0.01}}", nadam, 0.01, 2 },
    { "{\"RMSprop\": {\"learning_rate\": 0.01}}", rmsprop, 0.01, 1 },
    { "{\"RMSprop\": {\"learning_rate\": 0.003, \"centered\": true, \"momentum\": 0.5}}", rmsprop_centered, 0.003, 3 },
    { "{\"Adagrad\": {\"learning_rate\": 0.1}}", adagrad, 0.1, 1 },
    { "{\"Adadelta\": {\"learning_rate\": 0.7, \"epsilon\": 0.0001}}", adadelta, 0.7, 2 },
    { "{\"Ftrl\": {\"learning_rate\": 0.2, \"l1_regularization_strength\": 0.01, \"l2_regularization_strength\": 0.05, "
      "\"l2_shrinkage_regularization_strength\": 0.02, \"beta\": 0.1}}", ftrl, 0.2, 2 },
    { "{\"Lion\": {\"learning_rate\": 0.003}}", lion, 0.003, 1 },
};

static const struct optimizer_class *class_of(const struct object *optimizer)
{
    return (const struct optimizer_class *)optimizer->class;
}

static double gradient(int step, int i)
{
    return (double)noise((unsigned)(step * COUNT + i + 100));
}

/* The device's weights after STEPS steps with gradient(). */
static void run_device(const struct object *optimizer, float *w)
{
    strata_error err = { 0 };
    struct device *device = open_device();
    const struct optimizer_class *class = class_of(optimizer);
    const struct optimizer_common *common = optimizer->config;
    struct optimizer_step step = { .run = strata_run_immediate(device, QUEUE_COMPUTE, &err), .n = COUNT, .state = 1 };
    ok(step.run);
    float values[COUNT];
    step.w = put_floats(device, w, COUNT);
    for (int s = 0; s < class->slots(optimizer->config); s++) {
        for (int i = 0; i < COUNT; i++) values[i] = class->slot_start ? class->slot_start(optimizer->config, s) : 0;
        step.slot[s] = put_floats(device, values, COUNT);
    }
    for (int t = 1; t <= STEPS; t++) {
        for (int i = 0; i < COUNT; i++) values[i] = (float)gradient(t, i);
        step.g = put_floats(device, values, COUNT);
        step.iteration = t;
        step.learning_rate = strata_schedule_value(&common->learning_rate, t - 1);
        if (class->advance) step.state = class->advance(optimizer->config, step.state, t);
        ok(class->update(optimizer->config, &step, &err));
        ok(strata_device_finish(device, &err));
        strata_buffer_free(step.g.buffer);
    }
    get_floats(device, &step.w, w, COUNT);
    strata_buffer_free(step.w.buffer);
    for (int s = 0; s < STRATA_MAX_SLOTS; s++) strata_buffer_free(step.slot[s].buffer);
    strata_run_free(step.run);
    strata_device_close(device);
}

Test(optimizers, follow_their_formulas)
{
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        struct object optimizer = parse_object(&strata_optimizers, known[k].json);
        const struct optimizer_class *class = class_of(&optimizer);
        cr_assert_eq(class->slots(optimizer.config), known[k].slots, "%s", known[k].json);
        float w[COUNT];
        struct element expected[COUNT];
        for (int i = 0; i < COUNT; i++) {
            w[i] = noise((unsigned)i);
            expected[i] = (struct element){ .w = (double)w[i] };
            for (int s = 0; s < known[k].slots && class->slot_start; s++)
                expected[i].s[s] = (double)class->slot_start(optimizer.config, s);
            for (int t = 1; t <= STEPS; t++)
                known[k].formula(&expected[i], (double)(float)gradient(t, i), known[k].lr, t);
        }
        run_device(&optimizer, w);
        /* a few roundings of numbers below 2, some times the tenfold gain of a small root */
        for (int i = 0; i < COUNT; i++)
            cr_assert_float_eq(w[i], expected[i].w, 3e-6, "%s: element %d is %.8g, the formula gives %.8g",
                               known[k].json, i, (double)w[i], expected[i].w);
        strata_object_release(&optimizer);
    }
}

static void expect_refusal(const char *json, const char *message)
{
    strata_error err = { 0 };
    struct object optimizer;
    json_t *parsed = strata_json_parse(json, strlen(json), "test", &err);
    ok(parsed);
    cr_assert_not(strata_object_parse(&strata_optimizers, parsed, STRATA_KERAS3, &optimizer, &err));
    cr_assert_str_eq(err.message, message);
    json_decref(parsed);
}

Test(optimizers, refuse_what_keras_refuses)
{
    expect_refusal("{\"SGD\": {\"clipnorm\": 1, \"clipvalue\": 1}}",
                   "SGD: more than one of clipnorm, clipvalue and global_clipnorm is set; leave the others out");
    expect_refusal("{\"Adam\": {\"learning_rate\": -1}}", "Adam: learning_rate is -1; it must be at least 0");
    expect_refusal("{\"Adam\": {\"beta_1\": 2}}", "Adam: beta_1 is 2; it must be from 0 to 1");
    expect_refusal("{\"SGD\": {\"gradient_accumulation_steps\": 1}}",
                   "SGD: gradient_accumulation_steps is 1; it must be at least 2");
    expect_refusal("\"Adm\"", "unknown name \"Adm\"; did you mean \"Adam\"?");
}

Test(optimizers, read_old_names_of_keras_2)
{
    struct object optimizer = parse_object(&strata_optimizers,
                                           "{\"class_name\": \"SGD\", \"config\": {\"lr\": 0.5, \"decay\": 0.25}}");
    const struct optimizer_common *common = optimizer.config;
    cr_assert_float_eq(strata_schedule_value(&common->learning_rate, 4), 0.25, 1e-12);
    strata_object_release(&optimizer);
}

Test(optimizers, write_what_keras_reads)
{
    strata_error err = { 0 };
    struct object optimizer = parse_object(&strata_optimizers, "\"adamw\"");
    json_t *json = strata_object_write(&strata_optimizers, &optimizer, STRATA_KERAS3, &err);
    ok(json);
    json_t *config = json_object_get(json, "config");
    cr_assert_str_eq(json_string_value(json_object_get(json, "class_name")), "AdamW");
    cr_assert_str_eq(json_string_value(json_object_get(config, "name")), "adam_w");
    cr_assert_float_eq(json_real_value(json_object_get(config, "learning_rate")), 0.001, 1e-12);
    cr_assert_float_eq(json_real_value(json_object_get(config, "weight_decay")), 0.004, 1e-12);
    cr_assert(json_is_null(json_object_get(config, "clipnorm")));
    json_decref(json);
    strata_object_release(&optimizer);
}

/* Numbers of keras.optimizers.schedules, Keras 3.15, in single precision. */
Test(schedules, give_keras_values)
{
    static const struct {
        const char *json;
        int64_t step;
        double value;
    } cases[] = {
#include "schedules.inc"
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct object schedule = parse_object(&strata_schedules, cases[i].json);
        const double value = strata_schedule_value(&schedule, cases[i].step);
        cr_assert_float_eq(value, cases[i].value, 1e-7, "%s at %d: %.17g, not %.17g", cases[i].json,
                           (int)cases[i].step, value, cases[i].value);
        strata_object_release(&schedule);
    }
}
