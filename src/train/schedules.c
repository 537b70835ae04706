/* Learning rates by step. Source: Keras 3 keras/src/optimizers/schedules/learning_rate_schedule.py. */
#include "train/optimizer.h"

#include <math.h>

#include "train/numbers.h"

#define STEPS(key, config, member)                                                                                   \
    { key, FIELD_FLOAT, offsetof(struct config, member), .required = true, .min = 0, .max = INFINITY, .above_min = true }
#define RATE(key, config, member)                                                                                    \
    { key, FIELD_FLOAT, offsetof(struct config, member), .required = true, .min = 0, .max = INFINITY }

/* ---- Constant ------------------------------------------------------------------------------------------------ */

struct constant {
    double value;
};

static const struct field constant_fields[] = { RATE("value", constant, value), { 0 } };

static double constant_value(const void *config, int64_t step)
{
    (void)step;
    return ((const struct constant *)config)->value;
}

static const struct schedule_class constant = {
    .class = { .name = STRATA_CONSTANT_RATE, .config_size = sizeof(struct constant), .fields = constant_fields,
               .help = "one rate; what a plain number means" },
    .value = constant_value,
};

/* ---- ExponentialDecay, InverseTimeDecay ------------------------------------------------------------------------ */

struct decay {
    double start, steps, rate;
    bool staircase;
    char *name;
};

#define DECAY_FIELDS(title)                                                                                          \
    RATE("initial_learning_rate", decay, start), STEPS("decay_steps", decay, steps),                                \
        { "decay_rate", FIELD_FLOAT, offsetof(struct decay, rate), .required = true },                              \
        { "staircase", FIELD_BOOL, offsetof(struct decay, staircase), .otherwise = false },                                             \
        { "name", FIELD_STRING, offsetof(struct decay, name), .text = title, .nullable = true }

static const struct field exponential_fields[] = { DECAY_FIELDS("ExponentialDecay"), { 0 } };
static const struct field inverse_time_fields[] = { DECAY_FIELDS("InverseTimeDecay"), { 0 } };

static double periods(const struct decay *c, int64_t step)
{
    const double p = (double)step / c->steps;
    return c->staircase ? floor(p) : p;
}

static double exponential_value(const void *config, int64_t step)
{
    const struct decay *c = config;
    return c->start * pow(c->rate, periods(c, step));
}

static double inverse_time_value(const void *config, int64_t step)
{
    const struct decay *c = config;
    return c->start / (1 + c->rate * periods(c, step));
}

static const struct schedule_class exponential_decay = {
    .class = { .name = "ExponentialDecay", .config_size = sizeof(struct decay), .fields = exponential_fields,
               .help = "initial * decay_rate ^ (step / decay_steps)" },
    .value = exponential_value,
};

static const struct schedule_class inverse_time_decay = {
    .class = { .name = "InverseTimeDecay", .config_size = sizeof(struct decay), .fields = inverse_time_fields,
               .help = "initial / (1 + decay_rate * step / decay_steps)" },
    .value = inverse_time_value,
};

/* ---- PolynomialDecay ------------------------------------------------------------------------------------------- */

struct polynomial {
    double start, steps, end, power;
    bool cycle;
    char *name;
};

static const struct field polynomial_fields[] = {
    RATE("initial_learning_rate", polynomial, start),
    STEPS("decay_steps", polynomial, steps),
    { "end_learning_rate", FIELD_FLOAT, offsetof(struct polynomial, end), .otherwise = 0.0001, .min = 0,
      .max = INFINITY },
    { "power", FIELD_FLOAT, offsetof(struct polynomial, power), .otherwise = 1 },
    { "cycle", FIELD_BOOL, offsetof(struct polynomial, cycle), .otherwise = false },
    { "name", FIELD_STRING, offsetof(struct polynomial, name), .text = "PolynomialDecay", .nullable = true },
    { 0 },
};

static double polynomial_value(const void *config, int64_t step)
{
    const struct polynomial *c = config;
    const double at = c->cycle ? (double)step : fmin((double)step, c->steps);
    const double length = c->cycle && step > 0 ? c->steps * ceil((double)step / c->steps) : c->steps;
    return (c->start - c->end) * pow(1 - at / length, c->power) + c->end;
}

static const struct schedule_class polynomial_decay = {
    .class = { .name = "PolynomialDecay", .config_size = sizeof(struct polynomial), .fields = polynomial_fields,
               .help = "from initial to end along (1 - step / decay_steps) ^ power" },
    .value = polynomial_value,
};

/* ---- CosineDecay, CosineDecayRestarts --------------------------------------------------------------------------- */

static const double pi = 3.14159265358979323846;

struct cosine {
    double start, steps, alpha, warmup_target, warmup_steps; /* warmup_target NAN: no warm-up */
    char *name;
};

static const struct field cosine_fields[] = {
    RATE("initial_learning_rate", cosine, start),
    STEPS("decay_steps", cosine, steps),
    { "alpha", FIELD_FLOAT, offsetof(struct cosine, alpha), .help = "the last rate as a part of the first" },
    { "name", FIELD_STRING, offsetof(struct cosine, name), .text = "CosineDecay", .nullable = true },
    { "warmup_target", FIELD_FLOAT, offsetof(struct cosine, warmup_target), .nullable = true, .null_default = true,
      .min = 0, .max = INFINITY, .help = "the rate to which it first rises" },
    { "warmup_steps", FIELD_FLOAT, offsetof(struct cosine, warmup_steps), .min = 0, .max = INFINITY },
    { 0 },
};

static double cosine_value(const void *config, int64_t step)
{
    const struct cosine *c = config;
    const bool warm = !isnan(c->warmup_target);
    const double warmup = warm ? c->warmup_steps : 0, top = warm ? c->warmup_target : c->start;
    const double at = fmin((double)step, c->steps + warmup);
    if (at < warmup) return (top - c->start) * (at / warmup) + c->start;
    const double wave = 0.5 * (1 + cos(pi * (at - warmup) / c->steps));
    return top * ((1 - c->alpha) * wave + c->alpha);
}

static const struct schedule_class cosine_decay = {
    .class = { .name = "CosineDecay", .config_size = sizeof(struct cosine), .fields = cosine_fields,
               .help = "half a cosine, after a linear rise on request" },
    .value = cosine_value,
};

struct restarts {
    double start, steps, t_mul, m_mul, alpha;
    char *name;
};

static const struct field restarts_fields[] = {
    RATE("initial_learning_rate", restarts, start),
    STEPS("first_decay_steps", restarts, steps),
    { "t_mul", FIELD_FLOAT, offsetof(struct restarts, t_mul), .otherwise = 2, .min = 1, .max = INFINITY,
      .help = "each period is so much longer than the one before" },
    { "m_mul", FIELD_FLOAT, offsetof(struct restarts, m_mul), .otherwise = 1,
      .help = "each period starts so much higher than the one before" },
    { "alpha", FIELD_FLOAT, offsetof(struct restarts, alpha), .help = "the last rate as a part of the first" },
    { "name", FIELD_STRING, offsetof(struct restarts, name), .text = "SGDRDecay", .nullable = true },
    { 0 },
};

static double restarts_value(const void *config, int64_t step)
{
    const struct restarts *c = config;
    double fraction = (double)step / c->steps, period;
    if (c->t_mul == 1) {
        period = floor(fraction);
        fraction -= period;
    } else {
        /* the rounding of the logarithms must not put a restart one step off */
        period = floor(log(1 - fraction * (1 - c->t_mul)) / log(c->t_mul) + 1e-9);
        fraction = (fraction - (1 - pow(c->t_mul, period)) / (1 - c->t_mul)) / pow(c->t_mul, period);
    }
    const double wave = 0.5 * pow(c->m_mul, period) * (1 + cos(pi * fraction));
    return c->start * ((1 - c->alpha) * wave + c->alpha);
}

static const struct schedule_class cosine_restarts = {
    .class = { .name = "CosineDecayRestarts", .config_size = sizeof(struct restarts), .fields = restarts_fields,
               .help = "cosines one after the other" },
    .value = restarts_value,
};

/* ---- PiecewiseConstantDecay ---------------------------------------------------------------------------------------- */

struct piecewise {
    struct numbers boundaries, values;
    char *name;
};

#define NUMBERS(key, member)                                                                                         \
    { key, FIELD_CUSTOM, offsetof(struct piecewise, member), .required = true, .parse = strata_numbers_parse,       \
      .write = strata_numbers_write, .release = strata_numbers_release, .help = "a list of numbers" }

static const struct field piecewise_fields[] = {
    NUMBERS("boundaries", boundaries),
    NUMBERS("values", values),
    { "name", FIELD_STRING, offsetof(struct piecewise, name), .text = "PiecewiseConstant", .nullable = true },
    { 0 },
};

static bool check_piecewise(void *config, enum flavour flavour, strata_error *err)
{
    const struct piecewise *c = config;
    (void)flavour;
    if (c->values.count != c->boundaries.count + 1)
        return strata_fail(err, STRATA_EVALUE, "%zu boundaries and %zu values; there must be one more value than boundaries",
                           c->boundaries.count, c->values.count);
    for (size_t i = 1; i < c->boundaries.count; i++)
        if (!(c->boundaries.v[i] > c->boundaries.v[i - 1]))
            return strata_fail(err, STRATA_EVALUE, "boundaries[%zu] is not above the one before", i);
    return true;
}

static double piecewise_value(const void *config, int64_t step)
{
    const struct piecewise *c = config;
    size_t i = 0;
    while (i < c->boundaries.count && (double)step > c->boundaries.v[i]) i++;
    return c->values.v[i];
}

static const struct schedule_class piecewise_constant_decay = {
    .class = { .name = "PiecewiseConstantDecay", .config_size = sizeof(struct piecewise), .fields = piecewise_fields,
               .check = check_piecewise, .help = "values[i] up to and with step boundaries[i]" },
    .value = piecewise_value,
};

/* ---- the registry ------------------------------------------------------------------------------------------------ */

static const struct class *const classes[] = {
    &constant.class,        &exponential_decay.class, &inverse_time_decay.class,       &polynomial_decay.class,
    &cosine_decay.class,    &cosine_restarts.class,   &piecewise_constant_decay.class, NULL,
};

const struct registry strata_schedules = { "schedule", "keras.optimizers.schedules", classes };

bool strata_schedule_is_constant(const struct object *schedule)
{
    return schedule->class == &constant.class;
}

double strata_schedule_value(const struct object *schedule, int64_t step)
{
    return ((const struct schedule_class *)schedule->class)->value(schedule->config, step);
}
