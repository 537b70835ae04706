/* Writing the same model again: an image of a store whose numbers are replaced where they lie. All of a store's arrays are in one
 * piece and little-endian, so they are the host's own bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/finite.h"
#include "base/memory.h"
#include "base/text.h"
#include "files/compile_config.h"
#include "files/leaves.h"
#include "files/save.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "HDF5 files hold little-endian numbers, which are copied as they are"
#endif

void strata_store_places_release(struct store_places *places)
{
    free(places->at);
    free(places->bounce);
    *places = (struct store_places){ 0 };
}

/* ---- where they lie ------------------------------------------------------------------------------------------------ */

struct search {
    struct h5 *file;
    struct store_places *places;
};

static bool add(const struct search *s, const char *group, size_t index, strata_error *err)
{
    struct store_places *places = s->places;
    void *at = places->at;
    struct text path = { 0 };
    if (!strata_reserve(&at, &places->room, places->count + 1, sizeof *places->at, err)) return false;
    places->at = at;
    strata_text_add(&path, "%s/vars/%zu", group, index);
    char *text = strata_text_take(&path, err);
    const bool ok = text && strata_h5_address(s->file, text, &places->at[places->count++], err);
    free(text);
    return ok;
}

static bool locate_layer(void *context, const struct place *place, strata_error *err)
{
    const struct search *s = context;
    const size_t count = strata_layer_model(place->layer) ? 0 : strata_layer_weight_count(place->layer);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        const size_t elements = strata_layer_weight_info(place->layer, i).count;
        if (elements > s->places->largest) s->places->largest = elements;
        ok = add(s, place->key, i, err);
    }
    return ok;
}

/* How many variables are there twice: those inside a LossScaleOptimizer. */
static size_t twice(const struct saved_training *training)
{
    const bool scaled = training && training->count > 0 && strata_inner_optimizer_name(training->compile_config);
    return scaled ? training->count - STRATA_OUTER_VARIABLES : 0;
}

bool strata_store_locate(struct h5 *file, const strata_model *model, const struct saved_training *training,
                         struct store_places *places, strata_error *err)
{
    struct search s = { file, places };
    *places = (struct store_places){ 0 };
    bool ok = strata_places_walk(model, locate_layer, &s, err);
    for (size_t i = 0; ok && training && i < training->count; i++) ok = add(&s, "optimizer", i, err);
    for (size_t i = 0; ok && i < twice(training); i++) ok = add(&s, "optimizer/inner_optimizer", i, err);
    return ok && (places->bounce = strata_alloc(places->largest, sizeof *places->bounce, err));
}

/* ---- replacing them --------------------------------------------------------------------------------------------------- */

struct refill {
    unsigned char *image;
    size_t size, next;
    const struct store_places *places;
    char *odd;
};

/* Copies, and says whether all are finite. */
static bool copy_floats(unsigned char *restrict to, const float *restrict from, size_t count)
{
    uint32_t odd = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(to + i * sizeof *from, &from[i], sizeof *from);
        odd |= strata_is_odd(from[i]);
    }
    return odd == 0;
}

/* Where `size` bytes of the next weight or variable go; NULL: nowhere. */
static unsigned char *next_place(struct refill *r, size_t size, strata_error *err)
{
    const uint64_t at = r->next < r->places->count ? r->places->at[r->next] : 0;
    if (r->next++ >= r->places->count) {
        strata_fail(err, STRATA_EBUG, "a model is saved again that has other weights");
        return NULL;
    }
    if (size == 0 || (at <= r->size && size <= r->size - at)) return r->image + (size == 0 ? 0 : at);
    strata_fail(err, STRATA_EBUG, "a model is saved again that has larger weights");
    return NULL;
}

static bool refill_weight(struct refill *r, strata_layer *layer, size_t index, strata_error *err)
{
    const strata_weight_info info = strata_layer_weight_info(layer, index);
    float *bounce = r->places->bounce;
    if (info.count > r->places->largest) return strata_fail(err, STRATA_EBUG, "a model is saved again that has larger weights");
    unsigned char *to = next_place(r, info.count * sizeof *bounce, err);
    if (!to || !strata_layer_get_weight(layer, index, bounce, info.count, err)) return false;
    if (!copy_floats(to, bounce, info.count) && !r->odd[0])
        snprintf(r->odd, STRATA_ODD_NAME, "%s/%s", strata_layer_name(layer), info.name);
    return true;
}

static bool refill_layer(void *context, const struct place *place, strata_error *err)
{
    const size_t count = strata_layer_model(place->layer) ? 0 : strata_layer_weight_count(place->layer);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) ok = refill_weight(context, place->layer, i, err);
    return ok;
}

static bool refill_variable(struct refill *r, const struct saved_variable *v, strata_error *err)
{
    const size_t count = strata_saved_variable_count(v);
    unsigned char *to = next_place(r, v->integer ? sizeof v->integers : count * sizeof *v->values, err);
    if (to && v->integer)
        memcpy(to, &v->integers, sizeof v->integers);
    else if (to && !copy_floats(to, v->values, count) && !r->odd[0])
        snprintf(r->odd, STRATA_ODD_NAME, "the optimizer's %s", v->name);
    return to != NULL;
}

bool strata_store_refill(void *image, size_t size, struct store_places *places, const strata_model *model,
                         const struct saved_training *training, char odd[STRATA_ODD_NAME], strata_error *err)
{
    struct refill r = { image, size, 0, places, odd };
    odd[0] = '\0';
    bool ok = strata_places_walk(model, refill_layer, &r, err);
    for (size_t i = 0; ok && training && i < training->count; i++) ok = refill_variable(&r, &training->variables[i], err);
    for (size_t i = 0; ok && i < twice(training); i++)
        ok = refill_variable(&r, &training->variables[STRATA_OUTER_VARIABLES + i], err);
    return ok;
}
