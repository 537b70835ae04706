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
#include "files/zip.h"
#include "model/model.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "HDF5 files hold little-endian numbers, which are copied as they are"
#endif

void strata_store_places_release(struct store_places *places)
{
    for (size_t i = 0; i < places->count; i++) free(places->list[i].name);
    free(places->list);
    free(places->by_address);
    *places = (struct store_places){ 0 };
}

/* ---- where they lie ------------------------------------------------------------------------------------------------ */

struct search {
    struct h5 *file;
    struct store_places *places;
    size_t end; /* of the image */
};

static bool is_inside(const struct search *s, const struct store_place *place)
{
    return place->bytes == 0 || (place->at % sizeof(float) == 0 && place->at <= s->end && place->bytes <= s->end - place->at);
}

/* Adopts the name, which is NULL where none is needed. */
static bool add(const struct search *s, const char *group, size_t index, size_t bytes, char *name, strata_error *err)
{
    struct store_places *places = s->places;
    void *list = places->list;
    struct text path = { 0 };
    if (!strata_reserve(&list, &places->room, places->count + 1, sizeof *places->list, err)) {
        free(name);
        return false;
    }
    places->list = list;
    struct store_place *place = &places->list[places->count++];
    *place = (struct store_place){ .bytes = bytes, .name = name };
    strata_text_add(&path, "%s/vars/%zu", group, index);
    char *text = strata_text_take(&path, err);
    bool ok = text && strata_h5_address(s->file, text, &place->at, err);
    if (ok && !is_inside(s, place)) ok = strata_fail(err, STRATA_EBUG, "%s: %s has no place", strata_h5_what(s->file), text);
    free(text);
    return ok;
}

static bool locate_layer(void *context, const struct place *place, strata_error *err)
{
    const struct search *s = context;
    const size_t count = strata_layer_model(place->layer) ? 0 : strata_layer_weight_count(place->layer);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        const strata_weight_info info = strata_layer_weight_info(place->layer, i);
        struct text text = { 0 };
        strata_text_add(&text, "%s/%s", strata_layer_name(place->layer), info.name);
        char *name = strata_text_take(&text, err);
        ok = name && add(s, place->key, i, info.count * sizeof(float), name, err);
    }
    return ok;
}

static size_t bytes_of(const struct saved_variable *v)
{
    return v->integer ? sizeof v->integers : strata_saved_variable_count(v) * sizeof *v->values;
}

static bool locate_variable(const struct search *s, const struct saved_variable *v, size_t index, strata_error *err)
{
    struct text text = { 0 };
    if (v->integer) return add(s, "optimizer", index, bytes_of(v), NULL, err);
    strata_text_add(&text, "the optimizer's %s", v->name);
    char *name = strata_text_take(&text, err);
    return name && add(s, "optimizer", index, bytes_of(v), name, err);
}

/* How many variables are there twice: those inside a LossScaleOptimizer. */
static size_t twice(const struct saved_training *training)
{
    return strata_inner_optimizer_name(training->compile_config) ? training->count - STRATA_OUTER_VARIABLES : 0;
}

static bool locate_variables(const struct search *s, const struct saved_training *training, strata_error *err)
{
    struct store_places *places = s->places;
    bool ok = true;
    for (size_t i = 0; ok && i < training->count; i++) ok = locate_variable(s, &training->variables[i], i, err);
    places->variables = training->count;
    places->twice = twice(training);
    for (size_t i = 0; ok && i < places->twice; i++)
        ok = add(s, "optimizer/inner_optimizer", i, bytes_of(&training->variables[STRATA_OUTER_VARIABLES + i]), NULL, err);
    return ok;
}

static int compare_addresses(const void *a, const void *b)
{
    const uint64_t x = (*(const struct store_place *const *)a)->at, y = (*(const struct store_place *const *)b)->at;
    return (x > y) - (x < y);
}

static bool sort(struct store_places *places, strata_error *err)
{
    if (!(places->by_address = strata_alloc(places->count, sizeof *places->by_address, err))) return false;
    for (size_t i = 0; i < places->count; i++)
        if (places->list[i].bytes > 0) places->by_address[places->filled++] = &places->list[i];
    qsort(places->by_address, places->filled, sizeof *places->by_address, compare_addresses);
    return true;
}

bool strata_store_locate(struct h5 *file, const strata_model *model, const struct saved_training *training, size_t size,
                         struct store_places *places, strata_error *err)
{
    struct search s = { file, places, size };
    *places = (struct store_places){ 0 };
    if (!strata_places_walk(model, locate_layer, &s, err)) return false;
    places->weights = places->count;
    return (!training || training->count == 0 || locate_variables(&s, training, err)) && sort(places, err);
}

/* ---- replacing them --------------------------------------------------------------------------------------------------- */

struct reading {
    const struct store_image *image;
    size_t next;
    bool moving;
};

static bool changed(strata_error *err)
{
    return strata_fail(err, STRATA_EBUG, "a model is saved again that has other weights");
}

/* An array without elements has no place. */
static void *memory_of(const struct store_image *image, const struct store_place *place)
{
    return image->bytes + (place->bytes > 0 ? place->at : 0);
}

static bool queue_layer(void *context, const struct place *place, strata_error *err)
{
    struct reading *r = context;
    const struct store_places *places = r->image->places;
    const size_t count = strata_layer_model(place->layer) ? 0 : strata_layer_weight_count(place->layer);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++, r->next++) {
        const size_t elements = strata_layer_weight_info(place->layer, i).count;
        if (r->next >= places->weights || places->list[r->next].bytes != elements * sizeof(float)) return changed(err);
        ok = strata_layer_queue_weight(place->layer, i, memory_of(r->image, &places->list[r->next]), elements, r->moving, err);
    }
    return ok;
}

bool strata_image_read(const struct store_image *image, const strata_model *model, bool moving, strata_error *err)
{
    struct reading r = { .image = image, .moving = moving };
    return strata_places_walk(model, queue_layer, &r, err) && (r.next == image->places->weights || changed(err));
}

bool strata_image_put_variables(const struct store_image *image, const struct saved_training *training, strata_error *err)
{
    const struct store_places *places = image->places;
    if ((training ? training->count : 0) != places->variables) return changed(err);
    for (size_t i = 0; i < places->variables; i++) {
        const struct saved_variable *v = &training->variables[i];
        const struct store_place *place = &places->list[places->weights + i];
        if (place->bytes != bytes_of(v)) return changed(err);
        if (v->integer)
            memcpy(memory_of(image, place), &v->integers, place->bytes);
        else if (v->values)
            memcpy(memory_of(image, place), v->values, place->bytes);
    }
    return true;
}

float *strata_image_variable(const struct store_image *image, size_t variable)
{
    return memory_of(image, &image->places->list[image->places->weights + variable]);
}

/* Goes on with the checksum, and says whether floats are all finite: in pieces, which the second look finds in the processor's cache. */
static bool look_at(const unsigned char *bytes, size_t size, bool floats, uint32_t *checksum)
{
    enum { PIECE = 128 << 10 };
    bool finite = true;
    for (size_t done = 0, some; done < size; done += some) {
        some = size - done < PIECE ? size - done : PIECE;
        *checksum = strata_zip_checksum(*checksum, bytes + done, some);
        finite = finite && !(floats && strata_has_odd((const float *)(const void *)(bytes + done), some / sizeof(float)));
    }
    return finite;
}

void strata_image_finish(const struct store_image *image, char odd[STRATA_ODD_NAME], uint32_t *checksum)
{
    const struct store_places *places = image->places;
    const struct store_place *first = NULL;
    uint64_t at = 0;
    for (size_t i = 0; i < places->twice; i++) {
        const struct store_place *from = &places->list[places->weights + STRATA_OUTER_VARIABLES + i];
        const struct store_place *to = &places->list[places->weights + places->variables + i];
        memcpy(memory_of(image, to), memory_of(image, from), to->bytes);
    }
    *checksum = 0;
    for (size_t i = 0; i < places->filled; i++) {
        const struct store_place *place = places->by_address[i];
        look_at(image->bytes + at, place->at - at, false, checksum);
        const bool finite = look_at(image->bytes + place->at, place->bytes, place->name != NULL, checksum);
        if (!finite && (!first || place < first)) first = place;
        at = place->at + place->bytes;
    }
    look_at(image->bytes + at, image->size - at, false, checksum);
    snprintf(odd, STRATA_ODD_NAME, "%s", first ? first->name : "");
}
