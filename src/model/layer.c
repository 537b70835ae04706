#include "model/model_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "layers/initializer.h"
#include "model/params.h"

/* Keys of a layer's config that belong to every layer. */
static const char *const common_keys[] = { "name",        "trainable", "dtype",     "batch_input_shape", "batch_shape",
                                           "input_shape", "autocast",  "input_dim", "batch_size",        "quantization_config",
                                           "sparse",      "ragged",    "optional",  "shape",             NULL };

void strata_input_spec_release(struct input_spec *spec)
{
    free(spec->name);
    free(spec->dtype);
    *spec = (struct input_spec){ 0 };
}

static bool read_extent(const json_t *json, const char *key, size_t *extent, strata_error *err)
{
    if (json_is_integer(json) && json_integer_value(json) > 0) {
        *extent = (size_t)json_integer_value(json);
        return true;
    }
    char brief[STRATA_JSON_BRIEF];
    return strata_fail(err, STRATA_EJOB, "%s holds %s; every extent must be a positive integer, or null for "
                       "any extent", key, strata_json_brief(json, brief));
}

/* A shape from JSON; with a batch axis first when `batched`. */
static bool read_shape(const json_t *json, const char *key, bool batched, struct input_spec *spec, strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    const size_t axes = json_is_array(json) ? json_array_size(json) : 0;
    if (!json_is_array(json) || axes < (size_t)batched || axes - batched > STRATA_MAX_RANK - 1)
        return strata_fail(err, STRATA_EJOB, "%s is %s; a list of at most %d extents is expected", key,
                           strata_json_brief(json, brief), STRATA_MAX_RANK - 1);
    spec->known = true;
    spec->batch = 0;
    if (batched && !json_is_null(json_array_get(json, 0))
        && !read_extent(json_array_get(json, 0), key, &spec->batch, err))
        return false;
    spec->shape = (struct shape){ .rank = (int)(axes - batched) };
    for (int i = 0; i < spec->shape.rank; i++)
        if (!json_is_null(json_array_get(json, (size_t)i + batched)) /* None: open */
            && !read_extent(json_array_get(json, (size_t)i + batched), key, &spec->shape.dim[i], err))
            return false;
    return true;
}

static bool copy_key(const json_t *config, const char *key, char **out, strata_error *err)
{
    const char *text = json_string_value(json_object_get(config, key));
    if (text)
        *out = strata_copy_text(text, err);
    return !text || *out;
}

bool strata_input_spec_read(const json_t *config, bool with_dim, struct input_spec *spec, strata_error *err)
{
    static const struct {
        const char *key;
        bool batched;
    } keys[] = { { "batch_shape", true }, { "batch_input_shape", true }, { "shape", false }, { "input_shape", false } };
    *spec = (struct input_spec){ 0 };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *json = json_object_get(config, keys[i].key);
        if (json && !json_is_null(json) && !spec->known && !read_shape(json, keys[i].key, keys[i].batched, spec, err))
            return false;
    }
    const json_t *dim = json_object_get(config, "input_dim");
    if (json_is_integer(dim) && with_dim && !spec->known) {
        spec->known = true;
        spec->shape = (struct shape){ .rank = 1 };
        if (!read_extent(dim, "input_dim", &spec->shape.dim[0], err))
            return false;
    }
    return copy_key(config, "dtype", &spec->dtype, err);
}

static bool read_name(strata_layer *layer, const json_t *config, strata_error *err)
{
    const json_t *name = json_object_get(config, "name");
    if (!name || json_is_null(name))
        return true;
    char brief[STRATA_JSON_BRIEF];
    if (!json_is_string(name) || !json_string_value(name)[0])
        return strata_fail(err, STRATA_EJOB, "name is %s; a string that is not empty is expected",
                           strata_json_brief(name, brief));
    if (strchr(json_string_value(name), '/'))
        return strata_fail(err, STRATA_EJOB, "name is \"%s\"; a name cannot contain '/'", json_string_value(name));
    layer->name = strata_copy_text(json_string_value(name), err);
    return layer->name != NULL;
}

static bool read_trainable(strata_layer *layer, const json_t *config, strata_error *err)
{
    const json_t *json = json_object_get(config, "trainable");
    char brief[STRATA_JSON_BRIEF];
    if (json && !json_is_boolean(json))
        return strata_fail(err, STRATA_EJOB, "trainable is %s; true or false is expected", strata_json_brief(json, brief));
    layer->trainable = !json || json_is_true(json);
    return true;
}

static bool is_input(const struct layer_class *class)
{
    return class->host_only && strcmp(class->class.name, "InputLayer") == 0;
}

/* Dense(input_dim=4) states the input's shape; the input_dim of an Embedding is the number of its rows. */
static bool has_field(const struct class *class, const char *key)
{
    for (const struct field *f = class->fields; f && f->name; f++)
        if (strcmp(f->name, key) == 0)
            return true;
    return false;
}

static bool fill_layer(strata_layer *layer, const json_t *config, enum flavour flavour, strata_error *err)
{
    const struct class *class = &layer->class->class;
    layer->config = strata_alloc(1, class->config_size, err);
    if (!layer->config)
        return false;
    const bool ok = read_name(layer, config, err) && read_trainable(layer, config, err)
                 && (is_input(layer->class)
                     || strata_policy_read(json_object_get(config, "dtype"), "dtype", &layer->policy, &layer->policy_stated, err))
                 && strata_input_spec_read(config, !has_field(class, "input_dim"), &layer->input, err)
                 && strata_config_parse(class->fields, config, flavour, common_keys, layer->config, err)
                 && (!class->check || class->check(layer->config, flavour, err));
    return ok || strata_fail_in(err, "%s%s%s", class->name, layer->name ? " " : "", layer->name ? layer->name : "");
}

static strata_layer *make_layer(const struct class *class, const json_t *config, enum flavour flavour,
                                strata_error *err)
{
    strata_layer *layer = strata_alloc(1, sizeof *layer, err);
    json_t *empty = config ? NULL : json_object();
    if (layer) {
        layer->class = strata_layer_class(class);
        layer->out.rank = -1;
        if (!fill_layer(layer, config ? config : empty, flavour, err)) {
            strata_layer_free(layer);
            layer = NULL;
        }
    }
    json_decref(empty);
    return layer;
}

static bool is_model_class(const char *name)
{
    return strcmp(name, "Sequential") == 0 || strcmp(name, "Functional") == 0 || strcmp(name, "Model") == 0;
}

/* The class name and config of Keras's form or of the short form {"Dense": {...}}. */
static bool split_form(const json_t *json, const char **name, const json_t **config, strata_error *err)
{
    char brief[STRATA_JSON_BRIEF];
    const json_t *class_name = json_object_get(json, "class_name");
    if (json_is_string(json)) {
        *name = json_string_value(json);
        *config = NULL;
    } else if (class_name) {
        *name = json_string_value(class_name);
        *config = json_object_get(json, "config");
    } else if (json_object_size(json) == 1) {
        json_t *form = (json_t *)json;
        *name = json_object_iter_key(json_object_iter(form));
        *config = json_object_iter_value(json_object_iter(form));
    } else {
        return strata_fail(err, STRATA_EJOB, "a layer is %s; write {\"Dense\": {\"units\": 10}} or Keras's own "
                           "{\"class_name\": .., \"config\": ..}", strata_json_brief(json, brief));
    }
    if (!*name)
        return strata_fail(err, STRATA_EJOB, "class_name is %s; a string is expected", strata_json_brief(class_name, brief));
    if (*config && !json_is_object(*config) && !is_model_class(*name))
        return strata_fail(err, STRATA_EJOB, "%s: config is %s; an object is expected", *name,
                           strata_json_kind(*config));
    return true;
}

static bool fail_unknown(const char *name, strata_error *err)
{
    const char *names[512], *why = strata_layer_absent(name);
    size_t count = 0;
    if (why)
        return strata_fail(err, STRATA_EJOB, "Keras's layer %s is none of Strata's: %s", name, why);
    for (const struct class *const *c = strata_layers.classes; *c && count < 512; c++)
        names[count++] = (*c)->name;
    const char *nearest = strata_nearest(name, names, count);
    return strata_fail(err, STRATA_EJOB, "unknown layer \"%s\"%s%s%s", name, nearest ? "; did you mean \"" : "",
                       nearest ? nearest : "; `strata help layers` lists those there are", nearest ? "\"?" : "");
}

strata_layer *strata_layer_from_parsed(const json_t *json, enum flavour flavour, strata_error *err)
{
    const char *name = NULL;
    const json_t *config = NULL;
    if (!split_form(json, &name, &config, err))
        return NULL;
    if (is_model_class(name)) {
        strata_model *model = strata_model_from_config(json, flavour, err);
        return model ? strata_layer_from_model(model, err) : NULL;
    }
    const struct class *class = strata_class_find(&strata_layers, name);
    if (!class && strcmp(name, "Input") == 0)
        class = strata_class_find(&strata_layers, "InputLayer");
    if (class)
        return make_layer(class, config, flavour, err);
    fail_unknown(name, err);
    return NULL;
}

strata_layer *strata_layer_from_json(const char *json, strata_error *err)
{
    json_t *parsed = strata_json_parse(json, strlen(json), "layer", err);
    strata_layer *layer = parsed ? strata_layer_from_parsed(parsed, strata_config_flavour(parsed), err) : NULL;
    json_decref(parsed);
    return layer;
}

strata_layer *strata_layer_create(const char *class_name, const char *config, strata_error *err)
{
    json_t *parsed = NULL;
    if (config && config[0]) {
        parsed = strata_json_parse(config, strlen(config), class_name, err);
        if (!parsed)
            return NULL;
    }
    json_t *form = json_object();
    json_object_set_new(form, "class_name", json_string(class_name));
    if (parsed)
        json_object_set_new(form, "config", parsed);
    strata_layer *layer = form ? strata_layer_from_parsed(form, STRATA_KERAS3, err) : NULL;
    json_decref(form);
    return layer;
}

strata_layer *strata_layer_from_model(strata_model *adopted, strata_error *err)
{
    const bool free_to_go = !adopted->wrapper && !adopted->params && adopted->output_count <= 1;
    strata_layer *layer = free_to_go ? strata_alloc(1, sizeof *layer, err) : NULL;
    if (!layer) {
        if (adopted->output_count > 1)
            strata_fail(err, STRATA_EVALUE, "model %s has %zu outputs; a layer of a Sequential model has exactly one. Take "
                        "inner outputs with strata_model_extract or `strata extract`", adopted->name, adopted->output_count);
        else if (!free_to_go)
            strata_fail(err, STRATA_EVALUE, "model %s is already a layer of another model, or in use on a device",
                        adopted->name);
        strata_model_free(adopted);
        return NULL;
    }
    layer->model = adopted;
    layer->trainable = adopted->trainable;
    layer->name = strata_copy_text(adopted->name, err);
    layer->built = adopted->built;
    layer->out.rank = -1;
    if (adopted->built) {
        const strata_shape out = strata_model_output_shape(adopted), in = strata_model_input_shape(adopted);
        layer->out = (struct shape){ .rank = out.rank };
        memcpy(layer->out.dim, out.dim, sizeof layer->out.dim);
        layer->input = (struct input_spec){ .known = true, .shape = { .rank = in.rank } };
        memcpy(layer->input.shape.dim, in.dim, sizeof in.dim);
    }
    adopted->wrapper = layer;
    if (layer->name)
        return layer;
    strata_layer_free(layer);
    return NULL;
}

void strata_layer_unbuild(strata_layer *layer)
{
    for (int i = 0; i < layer->weight_count; i++)
        free(layer->weights[i].host);
    layer->weight_count = 0;
    layer->built = false;
    free(layer->in);
    layer->in = NULL;
    layer->in_count = 0;
    layer->out.rank = -1;
}

void strata_layer_free(strata_layer *layer)
{
    if (!layer)
        return;
    strata_layer_unbuild(layer);
    if (layer->class && layer->config)
        strata_config_release(layer->class->class.fields, layer->config);
    free(layer->config);
    if (layer->model)
        layer->model->wrapper = NULL;
    strata_model_free(layer->model);
    strata_input_spec_release(&layer->input);
    free(layer->name);
    free(layer);
}

/* FNV-1a: the stream number of a tensor's random numbers, from where it is in the model. */
static uint32_t stream_of(const char *path, const char *layer, const char *weight)
{
    uint32_t hash = 2166136261u;
    const char *parts[] = { path, "/", layer, "/", weight };
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
        for (const char *c = parts[p]; *c; c++)
            hash = (hash ^ (unsigned char)*c) * 16777619u;
    return hash;
}

bool strata_layer_draw(strata_layer *layer, uint64_t seed, const char *path, strata_error *err)
{
    for (int i = 0; i < layer->weight_count; i++) {
        struct weight *w = &layer->weights[i];
        const struct random_key key = { .seed = seed, .purpose = RANDOM_WEIGHTS,
                                        .stream = stream_of(path, layer->name ? layer->name : "", w->spec.name) };
        static const struct object zeros;
        if (!strata_initialize(w->spec.initializer ? w->spec.initializer : &zeros, &w->spec.shape, &key, w->host, err))
            return strata_fail_in(err, "%s", layer->name ? layer->name : layer->class->class.name);
    }
    return true;
}

static bool make_weights(strata_layer *layer, const struct shape *in, size_t in_count, strata_error *err)
{
    struct weights ask;
    if (!strata_layer_ask(layer, in, in_count, &ask, err))
        return false;
    for (int i = 0; i < ask.count; i++) {
        layer->weights[i] = (struct weight){ .spec = ask.spec[i] };
        layer->weights[i].host = strata_alloc(strata_shape_count(&ask.spec[i].shape), sizeof(float), err);
        if (!layer->weights[i].host)
            return false;
        layer->weight_count = i + 1;
    }
    return true;
}

static bool build_nested(strata_layer *layer, const struct shape *in, size_t in_count, size_t batch, uint64_t seed,
                         strata_error *err)
{
    if (in_count != 1)
        return strata_fail(err, STRATA_ESHAPE, "%s: a model as a layer takes one input; it has %zu", layer->name, in_count);
    const strata_shape shape = strata_public_shape(&in[0]);
    if (!layer->model->built)
        strata_model_set_seed(layer->model, seed);
    if (!strata_model_build(layer->model, &shape, batch, err))
        return strata_fail_in(err, "%s", layer->name);
    return strata_layer_infer(layer, in, in_count, &layer->out, err);
}

static bool build_plain(strata_layer *layer, const struct shape *in, size_t in_count, uint64_t seed, const char *path,
                        strata_error *err)
{
    return strata_layer_infer(layer, in, in_count, &layer->out, err) && make_weights(layer, in, in_count, err)
        && strata_layer_draw(layer, seed, path, err);
}

bool strata_layer_build(strata_layer *layer, const struct shape *in, size_t in_count, size_t batch, uint64_t seed,
                        const char *path, strata_error *err)
{
    layer->in = strata_alloc(in_count, sizeof *in, err);
    if (!layer->in)
        return false;
    memcpy(layer->in, in, in_count * sizeof *in);
    layer->in_count = in_count;
    layer->built = layer->model ? build_nested(layer, in, in_count, batch, seed, err)
                                : build_plain(layer, in, in_count, seed, path, err);
    if (!layer->built)
        strata_layer_unbuild(layer);
    return layer->built;
}

const char *strata_layer_name(const strata_layer *layer)
{
    return layer->name ? layer->name : "";
}

const char *strata_layer_class_name(const strata_layer *layer)
{
    if (layer->model)
        return layer->model->sequential ? "Sequential" : "Functional";
    return layer->class->operation ? layer->class->operation : layer->class->class.name;
}

strata_model *strata_layer_model(const strata_layer *layer)
{
    return layer->model;
}

bool strata_layer_trainable(const strata_layer *layer)
{
    return layer->trainable;
}

void strata_layer_set_trainable(strata_layer *layer, bool trainable)
{
    layer->trainable = trainable;
    if (layer->model)
        strata_model_set_trainable(layer->model, trainable);
}

bool strata_layer_built(const strata_layer *layer)
{
    return layer->built;
}

strata_shape strata_layer_output_shape(const strata_layer *layer)
{
    return strata_public_shape(&layer->out);
}

bool strata_layer_count_params(const strata_layer *layer, size_t *count, strata_error *err)
{
    size_t trainable;
    if (!layer->built)
        return strata_fail(err, STRATA_EVALUE, "You tried to call `count_params` on layer '%s', but the layer isn't built; "
                           "add it to a model with a known input shape, or build the model first",
                           layer->name ? layer->name : layer->class->class.name);
    if (layer->model)
        return strata_model_count_params(layer->model, count, &trainable, err);
    *count = 0;
    for (int i = 0; i < layer->weight_count; i++)
        *count += strata_shape_count(&layer->weights[i].spec.shape);
    return true;
}
