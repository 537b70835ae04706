#include "files/leaves.h"

#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/memory.h"
#include "base/text.h"

/* ---- walking ---- */

struct walk {
    bool (*visit)(void *context, const struct place *place, strata_error *err);
    void *context;
};

static bool same_class(const strata_layer *a, const strata_layer *b)
{
    return strcmp(strata_layer_class_name(a), strata_layer_class_name(b)) == 0;
}

/* Keras counts the layers of each class in one model: "conv2d", "conv2d_1", ... */
static void add_key(struct text *key, const strata_model *model, size_t index)
{
    char buffer[STRATA_NAME];
    const strata_layer *layer = strata_model_layer(model, index);
    size_t before = 0;
    for (size_t i = 0; i < index; i++) before += same_class(strata_model_layer(model, i), layer);
    strata_text_add(key, "layers/%s", strata_snake_case(strata_layer_class_name(layer), buffer));
    if (before > 0) strata_text_add(key, "_%zu", before);
}

static bool walk_model(const struct walk *walk, const strata_model *model, const struct place *around,
                       strata_error *err);

static bool walk_layer(const struct walk *walk, const strata_model *model, size_t index,
                       const struct place *around, strata_error *err)
{
    struct text path = { 0 }, key = { 0 };
    strata_layer *layer = strata_model_layer(model, index);
    if (around) {
        strata_text_add(&path, "%s/", around->path);
        strata_text_add(&key, "%s/", around->key);
    }
    strata_text_add(&path, "%s", strata_layer_name(layer));
    add_key(&key, model, index);
    char *path_text = strata_text_take(&path, err), *key_text = strata_text_take(&key, err);
    const struct place place = { .layer = layer,
                                 .parent = model,
                                 .top = around ? around->top : index,
                                 .path = path_text,
                                 .key = key_text };
    bool ok = path_text && key_text && walk->visit(walk->context, &place, err);
    if (ok && strata_layer_model(layer)) ok = walk_model(walk, strata_layer_model(layer), &place, err);
    free(path_text);
    free(key_text);
    return ok;
}

static bool walk_model(const struct walk *walk, const strata_model *model, const struct place *around,
                       strata_error *err)
{
    for (size_t i = 0; i < strata_model_layer_count(model); i++)
        if (!walk_layer(walk, model, i, around, err)) return false;
    return true;
}

bool strata_places_walk(const strata_model *model,
                        bool (*visit)(void *context, const struct place *place, strata_error *err),
                        void *context, strata_error *err)
{
    const struct walk walk = { visit, context };
    return walk_model(&walk, model, NULL, err);
}

/* ---- weights ---- */

static bool add_weight(struct leaves *leaves, const struct place *place, size_t index, strata_error *err)
{
    void *list = leaves->list;
    if (!strata_reserve(&list, &leaves->room, leaves->count + 1, sizeof *leaves->list, err)) return false;
    leaves->list = list;
    struct leaf *leaf = &leaves->list[leaves->count++];
    *leaf = (struct leaf){ .layer = place->layer,
                           .parent = place->parent,
                           .index = index,
                           .top = place->top,
                           .info = strata_layer_weight_info(place->layer, index) };
    leaf->path = strata_copy_text(place->path, err);
    leaf->key = leaf->path ? strata_copy_text(place->key, err) : NULL;
    return leaf->key != NULL;
}

static bool add_layer(void *context, const struct place *place, strata_error *err)
{
    if (strata_layer_model(place->layer)) return true;
    for (size_t i = 0; i < strata_layer_weight_count(place->layer); i++)
        if (!add_weight(context, place, i, err)) return false;
    return true;
}

bool strata_leaves_collect(const strata_model *model, struct leaves *leaves, strata_error *err)
{
    return strata_places_walk(model, add_layer, leaves, err);
}

void strata_leaves_release(struct leaves *leaves)
{
    for (size_t i = 0; i < leaves->count; i++) {
        free(leaves->list[i].path);
        free(leaves->list[i].key);
        free(leaves->list[i].source);
        free(leaves->list[i].values);
    }
    free(leaves->list);
    *leaves = (struct leaves){ 0 };
}

char *strata_leaf_label(const struct leaf *leaf, strata_error *err)
{
    struct text label = { 0 };
    strata_text_add(&label, "%s/%s", leaf->path, leaf->info.name);
    return strata_text_take(&label, err);
}

bool strata_leaf_fetch(struct leaf *leaf, strata_error *err)
{
    if (!leaf->values) leaf->values = strata_alloc(leaf->info.count, sizeof *leaf->values, err);
    return leaf->values
           && strata_layer_get_weight(leaf->layer, leaf->index, leaf->values, leaf->info.count, err);
}
