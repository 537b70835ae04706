/* Writing the same model again: an image of a store whose numbers are replaced where they lie. All of a store's arrays are in one
 * piece and little-endian, so they are the host's own bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
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

bool strata_store_locate(struct h5 *file, const strata_model *model, const struct saved_training *training,
                         struct store_places *places, strata_error *err)
{
    struct search s = { file, places };
    *places = (struct store_places){ 0 };
    bool ok = strata_places_walk(model, locate_layer, &s, err);
    for (size_t i = 0; ok && training && i < training->count; i++) ok = add(&s, "optimizer", i, err);
    return ok && (places->bounce = strata_alloc(places->largest, sizeof *places->bounce, err));
}

/* ---- replacing them --------------------------------------------------------------------------------------------------- */

struct refill {
    unsigned char *image;
    size_t size, next;
    const struct store_places *places;
};

static bool put(struct refill *r, const void *bytes, size_t size, strata_error *err)
{
    if (r->next == r->places->count) return strata_fail(err, STRATA_EBUG, "a model is saved again that has other weights");
    const uint64_t at = r->places->at[r->next++];
    if (size == 0) return true;
    if (at > r->size || size > r->size - at)
        return strata_fail(err, STRATA_EBUG, "a model is saved again that has larger weights");
    memcpy(r->image + at, bytes, size);
    return true;
}

static bool refill_layer(void *context, const struct place *place, strata_error *err)
{
    struct refill *r = context;
    const size_t count = strata_layer_model(place->layer) ? 0 : strata_layer_weight_count(place->layer);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        const size_t elements = strata_layer_weight_info(place->layer, i).count;
        float *bounce = r->places->bounce;
        ok = (elements <= r->places->largest || strata_fail(err, STRATA_EBUG, "a model is saved again that has larger weights"))
             && strata_layer_get_weight(place->layer, i, bounce, elements, err)
             && put(r, bounce, elements * sizeof *bounce, err);
    }
    return ok;
}

bool strata_store_refill(void *image, size_t size, struct store_places *places, const strata_model *model,
                         const struct saved_training *training, strata_error *err)
{
    struct refill r = { image, size, 0, places };
    bool ok = strata_places_walk(model, refill_layer, &r, err);
    for (size_t i = 0; ok && training && i < training->count; i++) {
        const struct saved_variable *v = &training->variables[i];
        ok = v->integer ? put(&r, &v->integers, sizeof v->integers, err)
                        : put(&r, v->values, strata_saved_variable_count(v) * sizeof *v->values, err);
    }
    return ok;
}
