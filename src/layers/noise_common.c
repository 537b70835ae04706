#include "layers/noise_common.h"

#include "ops/map.h"

static bool parse_item(const json_t *item, long *at)
{
    *at = json_is_null(item) ? -1 : (long)json_integer_value(item);
    return json_is_null(item) || *at >= 1;
}

bool strata_noise_shape_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                              strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    struct ints ints = { 0 };
    const size_t size = json_array_size(json);
    (void)flavour;
    bool ok = json_is_null(json) || (size > 0 && size <= STRATA_MAX_INTS);
    for (size_t i = 0; ok && i < size; i++) ok = parse_item(json_array_get(json, i), &ints.v[ints.count++]);
    if (!ok)
        return strata_fail(err, STRATA_EVALUE,
                           "%s is %s; null or a list of one positive integer or null an axis, batch "
                           "first, is expected",
                           field->name, strata_json_brief(json, brief));
    if (ints.count && ints.v[0] == 1)
        return strata_fail(err, STRATA_EVALUE,
                           "%s begins with 1; each sample draws its own noise, so its first entry "
                           "must be null or the batch size",
                           field->name);
    *(struct ints *)at = ints;
    return true;
}

json_t *strata_noise_shape_write(const struct field *field, const void *at, enum flavour flavour)
{
    const struct ints *ints = at;
    (void)field;
    (void)flavour;
    if (ints->count == 0) return json_null();
    json_t *list = json_array();
    for (int i = 0; list && i < ints->count; i++) {
        if (json_array_append_new(list, ints->v[i] < 0 ? json_null() : json_integer(ints->v[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

bool strata_noise_shape_keep(const void *config, const struct shape *in, struct shape *out, strata_error *err)
{
    const struct noise_config *c = config;
    char text[STRATA_SHAPE_TEXT];
    bool fits = c->noise_shape.count == 0 || c->noise_shape.count == in->rank + 1;
    for (int i = 1; fits && i < c->noise_shape.count; i++)
        fits = c->noise_shape.v[i] <= 1 || (size_t)c->noise_shape.v[i] == in->dim[i - 1];
    *out = *in;
    if (fits) return true;
    return strata_fail(err, STRATA_ESHAPE,
                       "input has shape %s; noise_shape needs as many entries, batch counted, each "
                       "null, 1 or the extent of its axis",
                       strata_layer_shape_text(in, text));
}

bool strata_noise_check_rate(void *config, enum flavour flavour, strata_error *err)
{
    const struct noise_config *c = config;
    (void)flavour;
    return c->rate < 1 || strata_fail(err, STRATA_EVALUE, "rate is 1; it must be below 1");
}

unsigned strata_noise_repeats(const struct noise_config *c)
{
    unsigned repeats = 0;
    for (int i = 1; i < c->noise_shape.count; i++) repeats |= c->noise_shape.v[i] == 1 ? 1u << i : 0;
    return repeats;
}

static struct noise noise_of(const struct noise_config *c, enum noise_kind kind, unsigned repeats,
                             const struct step *s)
{
    return (struct noise){
        .kind = kind,
        .rate = c->rate,
        .deviation = c->rate,
        .repeats = repeats,
        .stream = s->stream,
        .seed = c->seed == STRATA_NO_INT ? 0 : (uint64_t)c->seed,
        .step_words = s->step_words,
    };
}

bool strata_noise_forward(const struct noise_config *c, enum noise_kind kind, unsigned repeats,
                          const struct step *s, strata_error *err)
{
    const struct noise noise = noise_of(c, kind, repeats, s);
    if (!s->training || c->rate == 0) return strata_op_copy(s->run, &s->x, &s->y, err);
    return strata_op_noise(s->run, &noise, &s->x, &s->y, err);
}

bool strata_noise_backward(const struct noise_config *c, enum noise_kind kind, unsigned repeats,
                           const struct step *s, strata_error *err)
{
    const struct noise noise = noise_of(c, kind, repeats, s);
    if (!s->dx.buffer) return true;
    if (!s->training || c->rate == 0) return strata_op_copy(s->run, &s->dy, &s->dx, err);
    return strata_op_noise_gradient(s->run, &noise, &s->dy, &s->dx, err);
}
