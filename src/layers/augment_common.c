#include "layers/augment_common.h"

#include <math.h>

#include "ops/map.h"

const char *const strata_fill_modes[] = { "constant", "reflect", "wrap", "nearest", NULL };
const char *const strata_interpolations[] = { "nearest", "bilinear", NULL };

/* ---- fields ------------------------------------------------------------------------------------------------------------ */

static bool is_within(const struct field *field, double value)
{
    const bool any = field->min == 0 && field->max == 0;
    return isfinite(value) && (any || (value >= field->min && value <= field->max));
}

static bool parse_pair(const struct field *field, const json_t *json, struct range *range, strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    const json_t *a = json_array_get(json, 0), *b = json_array_get(json, 1);
    const double low = json_number_value(a), high = json_number_value(b);
    if (json_array_size(json) != 2 || !json_is_number(a) || !json_is_number(b))
        return strata_fail(err, STRATA_EVALUE, "%s is %s; %sa list of two numbers is expected", field->name,
                           strata_json_brief(json, brief), field->max == 0 ? "" : "a number or ");
    if (!is_within(field, low) || !is_within(field, high))
        return strata_fail(err, STRATA_EVALUE, "%s is %s; its numbers must be from %g to %g", field->name,
                           strata_json_brief(json, brief), field->min, field->max);
    *range = (struct range){ .lower = fmin(low, high), .upper = fmax(low, high) };
    return true;
}

bool strata_range_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at, strata_error *err)
{
    struct range *range = at;
    const double one = json_number_value(json);
    (void)flavour;
    *range = (struct range){ .none = json_is_null(json) };
    if (range->none && field->nullable) return true;
    if (!json_is_number(json) || field->max == 0) return parse_pair(field, json, range, err);
    if (!is_within(field, one))
        return strata_fail(err, STRATA_EVALUE, "%s is %g; it must be from %g to %g", field->name, one, field->min,
                           field->max);
    *range = (struct range){ .lower = -fabs(one), .upper = fabs(one), .given = one, .single = true };
    return true;
}

json_t *strata_range_write(const struct field *field, const void *at, enum flavour flavour)
{
    const struct range *range = at;
    (void)field;
    (void)flavour;
    if (range->none) return json_null();
    return range->single ? json_real(range->given) : json_pack("[f, f]", range->lower, range->upper);
}

bool strata_factor_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at, strata_error *err)
{
    struct range *range = at;
    if (!strata_range_parse(field, json, flavour, at, err)) return false;
    if (range->lower < field->min) range->lower = field->min;
    return true;
}

json_t *strata_factor_write(const struct field *field, const void *at, enum flavour flavour)
{
    struct range range = *(const struct range *)at;
    range.single = range.single && flavour == STRATA_KERAS2;
    return strata_range_write(field, &range, flavour);
}

bool strata_augment_check(void *config, enum flavour flavour, strata_error *err)
{
    const struct augment_config *c = config;
    (void)flavour;
    return strata_check_data_format(c->data_format, err);
}

/* ---- shapes ------------------------------------------------------------------------------------------------------------ */

bool strata_augment_shape_keep(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    (void)config;
    *out = *in;
    return strata_layer_expect_rank(in, 3, "a layer that augments images", err);
}

bool strata_augment_shape_size(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct augment_config *c = config;
    if (!strata_augment_shape_keep(config, in, out, err)) return false;
    out->dim[0] = (size_t)c->height;
    out->dim[1] = (size_t)c->width;
    return true;
}

enum { NUMBERS = 2, MAP = 6 };

size_t strata_augment_work(const void *config, size_t n, const struct shape *in, const struct shape *out)
{
    (void)config;
    (void)in;
    (void)out;
    return n * (NUMBERS + MAP);
}

/* ---- in training --------------------------------------------------------------------------------------------------------- */

struct view strata_augment_numbers(const struct step *s)
{
    const size_t n = (s->dy.buffer ? s->dy : s->y).shape.dim[0];
    return (struct view){ .buffer = s->work.buffer, .offset = s->work.offset, .shape = { 2, { n, NUMBERS } } };
}

static struct view maps_of(const struct step *s)
{
    const struct view numbers = strata_augment_numbers(s);
    const size_t n = numbers.shape.dim[0];
    return (struct view){ .buffer = numbers.buffer, .offset = numbers.offset + NUMBERS * n, .shape = { 2, { n, MAP } } };
}

bool strata_augment_draw(const struct augment_config *c, const struct step *s, const struct range ranges[2],
                         strata_error *err)
{
    const struct view numbers = strata_augment_numbers(s);
    const struct draw draw = {
        .low = { ranges[0].lower, ranges[1].lower }, .high = { ranges[0].upper, ranges[1].upper },
        .seed = c->seed == STRATA_NO_INT ? 0 : (uint64_t)c->seed, .stream = s->stream, .step_words = s->step_words,
    };
    return strata_op_draw(s->run, &draw, &numbers, err);
}

static bool make_maps(const struct augment_config *c, const struct motion *m, const struct step *s, const struct shape *in,
                      strata_error *err)
{
    const struct view numbers = strata_augment_numbers(s), maps = maps_of(s);
    return strata_augment_draw(c, s, m->ranges, err)
           && strata_op_maps(s->run, m->kind, m->sides, in->dim[1], in->dim[2], &numbers, &maps, err);
}

bool strata_augment_move(const struct augment_config *c, motion_of *motion, const struct step *s, strata_error *err)
{
    const struct view maps = maps_of(s);
    if (!s->training) return strata_op_copy(s->run, &s->x, &s->y, err);
    const struct motion m = motion(c, &s->x.shape, &s->y.shape);
    return make_maps(c, &m, s, &s->x.shape, err) && strata_op_resample(s->run, &m.resample, &maps, &s->x, &s->y, err);
}

bool strata_augment_move_back(const struct augment_config *c, motion_of *motion, const struct step *s, strata_error *err)
{
    const struct view maps = maps_of(s);
    if (!s->dx.buffer) return true;
    if (!s->training) return strata_op_copy(s->run, &s->dy, &s->dx, err);
    const struct motion m = motion(c, &s->dx.shape, &s->dy.shape);
    return make_maps(c, &m, s, &s->dx.shape, err)
           && strata_op_resample_gradient(s->run, &m.resample, &maps, &s->dy, &s->dx, err);
}

/* ---- fitting ------------------------------------------------------------------------------------------------------------- */

/* Source: keras.src.utils.image_utils.smart_resize. */
static struct resample box_of(const size_t *in, const size_t *out, bool whole, bool bilinear, double map[6])
{
    struct resample r = { .bilinear = bilinear, .fill = FILL_NEAREST, .height = in[0], .width = in[1] };
    if (!whole) {
        const size_t height = (size_t)((double)(in[1] * out[0]) / (double)out[1]);
        const size_t width = (size_t)((double)(in[0] * out[1]) / (double)out[0]);
        r.height = height < in[0] ? height ? height : 1 : in[0];
        r.width = width < in[1] ? width ? width : 1 : in[1];
        r.top = (in[0] - r.height) / 2;
        r.left = (in[1] - r.width) / 2;
    }
    const double rows = (double)r.height / (double)out[0], columns = (double)r.width / (double)out[1];
    const double made[6] = { columns, 0, 0.5 * columns - 0.5, 0, rows, 0.5 * rows - 0.5 };
    for (int i = 0; i < 6; i++) map[i] = made[i];
    return r;
}

bool strata_augment_fit(const struct step *s, bool whole, bool bilinear, strata_error *err)
{
    double map[6];
    const struct view maps = maps_of(s);
    const struct resample r = box_of(s->x.shape.dim + 1, s->y.shape.dim + 1, whole, bilinear, map);
    return strata_op_same_map(s->run, map, &maps, err) && strata_op_resample(s->run, &r, &maps, &s->x, &s->y, err);
}

bool strata_augment_fit_back(const struct step *s, bool whole, bool bilinear, strata_error *err)
{
    double map[6];
    const struct view maps = maps_of(s);
    if (!s->dx.buffer) return true;
    const struct resample r = box_of(s->dx.shape.dim + 1, s->dy.shape.dim + 1, whole, bilinear, map);
    return strata_op_same_map(s->run, map, &maps, err) && strata_op_resample_gradient(s->run, &r, &maps, &s->dy, &s->dx, err);
}
