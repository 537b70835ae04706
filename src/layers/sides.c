#include "layers/sides.h"

#include "ops/map.h"
#include "ops/strided.h"

/* ---- the argument ----------------------------------------------------------------------------------------------- */

static bool read_cells(const json_t *json, long *at)
{
    *at = (long)json_integer_value(json);
    return json_is_integer(json) && *at >= 0 && *at <= 1000000;
}

/* Both sides of an axis: one number, or a pair. */
static bool read_axis(const json_t *json, long *before, long *after)
{
    if (json_array_size(json) == 2)
        return read_cells(json_array_get(json, 0), before) && read_cells(json_array_get(json, 1), after);
    *after = 0;
    return read_cells(json, before) && read_cells(json, after);
}

bool strata_sides_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                        strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    struct sides sides = { 0 };
    (void)flavour;
    const bool each = field->count == 2 && json_array_size(json) == 2;
    bool ok = true;
    for (int axis = 0; ok && axis < field->count; axis++)
        ok = (each || json_is_integer(json) || field->count == 1)
             && read_axis(each ? json_array_get(json, (size_t)axis) : json, &sides.before[axis],
                          &sides.after[axis]);
    if (!ok)
        return strata_fail(err, STRATA_EVALUE, "%s is %s; %s is expected, of numbers that are not negative",
                           field->name, strata_json_brief(json, brief),
                           field->count == 2 ? "n, (rows, columns) or ((top, bottom), (left, right))"
                                             : "n or (before, after)");
    *(struct sides *)at = sides;
    return true;
}

json_t *strata_sides_write(const struct field *field, const void *at, enum flavour flavour)
{
    const struct sides *s = at;
    (void)flavour;
    if (field->count == 1) return json_pack("[I, I]", (json_int_t)s->before[0], (json_int_t)s->after[0]);
    return json_pack("[[I, I], [I, I]]", (json_int_t)s->before[0], (json_int_t)s->after[0],
                     (json_int_t)s->before[1], (json_int_t)s->after[1]);
}

bool strata_sides_check(void *config, enum flavour flavour, strata_error *err)
{
    const struct sides_config *c = config;
    (void)flavour;
    return strata_check_data_format(c->data_format, err);
}

/* ---- padding and cropping --------------------------------------------------------------------------------------- */

/* Where the inner box begins in the outer one, batch axis first. */
static void corner(const struct sides_config *c, int dims, size_t at[STRATA_MAX_RANK])
{
    for (int i = 0; i < STRATA_MAX_RANK; i++)
        at[i] = i >= 1 && i <= dims ? (size_t)c->sides.before[i - 1] : 0;
}

bool strata_pad_shape(const struct sides_config *c, int dims, const char *class_name, const struct shape *in,
                      struct shape *out, strata_error *err)
{
    if (!strata_layer_expect_rank(in, dims + 1, class_name, err)) return false;
    *out = *in;
    for (int i = 0; i < dims; i++) out->dim[i] += (size_t)(c->sides.before[i] + c->sides.after[i]);
    return true;
}

bool strata_pad_forward(const struct sides_config *c, int dims, const struct step *s, strata_error *err)
{
    size_t at[STRATA_MAX_RANK];
    corner(c, dims, at);
    return strata_op_zero(s->run, &s->y, err) && strata_op_place(s->run, &s->x, at, &s->y, err);
}

bool strata_pad_backward(const struct sides_config *c, int dims, const struct step *s, strata_error *err)
{
    size_t at[STRATA_MAX_RANK];
    corner(c, dims, at);
    return !s->dx.buffer || strata_op_crop(s->run, &s->dy, at, &s->dx, err);
}

bool strata_crop_shape(const struct sides_config *c, int dims, const char *class_name, const struct shape *in,
                       struct shape *out, strata_error *err)
{
    char text[STRATA_SHAPE_TEXT];
    if (!strata_layer_expect_rank(in, dims + 1, class_name, err)) return false;
    *out = *in;
    for (int i = 0; i < dims; i++) {
        const size_t gone = (size_t)(c->sides.before[i] + c->sides.after[i]);
        if (gone >= in->dim[i])
            return strata_fail(err, STRATA_ESHAPE,
                               "cropping takes %zu cells of an axis; the input %s has only %zu there", gone,
                               strata_layer_shape_text(in, text), in->dim[i]);
        out->dim[i] -= gone;
    }
    return true;
}

bool strata_crop_forward(const struct sides_config *c, int dims, const struct step *s, strata_error *err)
{
    size_t at[STRATA_MAX_RANK];
    corner(c, dims, at);
    return strata_op_crop(s->run, &s->x, at, &s->y, err);
}

bool strata_crop_backward(const struct sides_config *c, int dims, const struct step *s, strata_error *err)
{
    size_t at[STRATA_MAX_RANK];
    corner(c, dims, at);
    return !s->dx.buffer
           || (strata_op_zero(s->run, &s->dx, err) && strata_op_place(s->run, &s->dy, at, &s->dx, err));
}
