/* Cases of golden/layers: one layer. Each is run once for every config that the file has (Keras 3's, its .h5 form, Keras 2's)
 * and every way to run the layer; config, output, gradients and the weights after a training call are compared. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "golden_file.h"
#include "layers/harness.h"
#include "runner.h"

struct layer_case {
    struct runner *runner;
    hid_t file;
    enum flavour flavour;
    bool stochastic, frozen;
    const struct layer_class *class;
    void *config;
    struct golden_array x, y, y_train, dy, dx;
    char *message;
    size_t size;
};

static bool fail_with(struct layer_case *c, const strata_error *err)
{
    snprintf(c->message, c->size, "%s", err->message);
    return false;
}

static const char *weight_name(const char *group, int i, char buffer[64])
{
    snprintf(buffer, 64, "%s/%03d", group, i);
    return buffer;
}

/* ---- configs ---- */

/* Equal but for 1 and 1.0. */
static bool same(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) return json_number_value(a) == json_number_value(b);
    if (!json_is_array(a) || !json_is_array(b)) return json_equal(a, b);
    bool equal = json_array_size(a) == json_array_size(b);
    for (size_t i = 0; equal && i < json_array_size(a); i++)
        equal = same(json_array_get(a, i), json_array_get(b, i));
    return equal;
}

/* What is written must be what was read, key by key; keys that only one of them has are left alone. */
static bool writes_back(struct layer_case *c, const json_t *config)
{
    strata_error err = { 0 };
    const char *key;
    json_t *written = json_object(), *value;
    bool ok = strata_config_write(c->class->class.fields, c->config, c->flavour, written, &err)
              || fail_with(c, &err);
    json_object_foreach(written, key, value)
    {
        const json_t *read = json_object_get(config, key);
        char a[STRATA_JSON_BRIEF], b[STRATA_JSON_BRIEF];
        const bool axis = strcmp(key, "axis") == 0; /* an integer or a list of it */
        const bool object = json_is_object(value); /* compared by what reads it: Keras adds keys of its own */
        if (!ok || !read || axis || object || same(read, value)) continue;
        snprintf(c->message, c->size, "%s was %s and is written as %s", key, strata_json_brief(read, a),
                 strata_json_brief(value, b));
        ok = false;
    }
    json_decref(written);
    return ok;
}

/* The other Keras is given what it computes alike, and nothing else. A frozen layer was not tried there. */
static bool writes_for_other(struct layer_case *c)
{
    strata_error err = { 0 };
    const enum flavour other = c->flavour == STRATA_KERAS2 ? STRATA_KERAS3 : STRATA_KERAS2;
    const bool expected = golden_has_attr(c->file, "model_config_keras2") && !golden_has(c->file, "y_keras2");
    json_t *written = json_object();
    const bool wrote = strata_class_writable(&c->class->class, other, &err)
                       && strata_config_write(c->class->class.fields, c->config, other, written, &err);
    json_decref(written);
    if (c->frozen || wrote == expected) return true;
    snprintf(c->message, c->size, "written for Keras %d: %s", other == STRATA_KERAS2 ? 2 : 3,
             wrote ? "it was, though there it is something else" : err.message);
    return false;
}

static bool read_config(struct layer_case *c, const char *attr)
{
    strata_error err = { 0 };
    char *text = golden_attr(c->file, attr);
    json_t *model = text ? strata_json_parse(text, strlen(text), attr, &err) : NULL;
    const json_t *layers = json_object_get(json_object_get(model, "config"), "layers");
    const json_t *layer = json_array_get(layers, json_array_size(layers) - 1);
    const json_t *trainable = json_object_get(json_object_get(layer, "config"), "trainable");
    bool ok = harness_parse(layer, c->flavour, &c->class, &c->config, &err) || fail_with(c, &err);
    ok = ok && writes_back(c, json_object_get(layer, "config"));
    c->frozen = json_is_false(trainable);
    ok = ok && writes_for_other(c);
    json_decref(model);
    free(text);
    return ok;
}

/* ---- one way to run it ---- */

static bool check(struct layer_case *c, struct harness *h, const char *what, const struct view *view,
                  const struct golden_array *expected)
{
    strata_error err = { 0 };
    const struct shape shape = view->shape;
    if (!strata_shape_equal(&shape, &expected->shape)) {
        char a[STRATA_SHAPE_TEXT], b[STRATA_SHAPE_TEXT];
        snprintf(c->message, c->size, "%s has shape %s, in Keras %s", what,
                 strata_shape_text(&shape, NULL, a), strata_shape_text(&expected->shape, NULL, b));
        return false;
    }
    float *got = calloc(expected->count + 1, sizeof *got);
    const bool exact = c->class->view && c->class->activation == 0;
    const bool ok = got && (harness_read(h, view, got, &err) || fail_with(c, &err))
                    && golden_close(what, got, expected, exact, c->message, c->size);
    free(got);
    return ok;
}

static bool write_inputs(struct layer_case *c, struct harness *h)
{
    strata_error err = { 0 };
    char name[64];
    const void *x = c->x.integer ? (const void *)c->x.ints : c->x.values;
    bool ok = harness_write(h, &h->x[0], x, &err) || fail_with(c, &err);
    for (int i = 0; ok && i < h->ask.count; i++) {
        struct golden_array w;
        ok = golden_read(c->file, weight_name("weights", i, name), &w) && golden_as_float(&w);
        ok = ok && strata_shape_equal(&w.shape, &h->w[i].shape)
             && (harness_write(h, &h->w[i], w.values, &err) || fail_with(c, &err));
        if (!ok && !c->message[0])
            snprintf(c->message, c->size, "weight %d (%s) has another shape", i, h->ask.spec[i].name);
        golden_free(&w);
    }
    return ok;
}

/* The last part of Keras's name, without ":0". */
static bool check_names(struct layer_case *c, const struct harness *h)
{
    char name[64];
    bool ok = golden_attr_int(c->file, "weights", "count") == h->ask.count;
    if (!ok)
        snprintf(c->message, c->size, "asks for %d weights, Keras has %ld", h->ask.count,
                 golden_attr_int(c->file, "weights", "count"));
    for (int i = 0; ok && i < h->ask.count; i++) {
        char *full = golden_dataset_attr(c->file, weight_name("weights", i, name), "name");
        const char *slash = full ? strrchr(full, '/') : NULL;
        ok = full && strcmp(slash ? slash + 1 : full, h->ask.spec[i].name) == 0;
        if (!ok)
            snprintf(c->message, c->size, "weight %d is called %s, in Keras %s", i, h->ask.spec[i].name,
                     full ? full : "?");
        free(full);
    }
    return ok;
}

static bool check_after(struct layer_case *c, struct harness *h)
{
    char name[64];
    const bool other = c->flavour == STRATA_KERAS2 && golden_has(c->file, "weights_after_keras2");
    const char *group = other                                  ? "weights_after_keras2"
                        : golden_has(c->file, "weights_after") ? "weights_after"
                                                               : "weights";
    bool ok = true;
    for (int i = 0; ok && i < h->ask.count; i++) {
        struct golden_array w;
        char what[64];
        snprintf(what, sizeof what, "%s after training", h->ask.spec[i].name);
        ok = golden_read(c->file, weight_name(group, i, name), &w) && golden_as_float(&w)
             && check(c, h, what, &h->w[i], &w);
        golden_free(&w);
    }
    return ok;
}

static bool check_gradients(struct layer_case *c, struct harness *h)
{
    char name[64];
    bool ok = c->dx.count == 0 || c->x.integer || check(c, h, "dx", &h->dx[0], &c->dx);
    for (int i = 0; ok && i < h->ask.count; i++) {
        struct golden_array dw;
        char what[64];
        snprintf(what, sizeof what, "d%s", h->ask.spec[i].name);
        if (golden_read(c->file, weight_name("grads", i, name), &dw)) ok = check(c, h, what, &h->dw[i], &dw);
        golden_free(&dw);
    }
    return ok;
}

static bool train(struct layer_case *c, struct harness *h)
{
    strata_error err = { 0 };
    const bool training = !(c->frozen && c->class->trainable_inference);
    const bool run = harness_forward(h, training, &err) && harness_write(h, &h->dy, c->dy.values, &err)
                     && harness_backward(h, training, &err);
    /* Keras 2 differs in hard_sigmoid, of which it recorded the inference alone. */
    const bool other = c->flavour == STRATA_KERAS2 && golden_has(c->file, "y_keras2");
    if (!run) return fail_with(c, &err);
    if (other) return true;
    return check(c, h, "y in training", &h->y, c->y_train.count ? &c->y_train : &c->y)
           && check_gradients(c, h) && check_after(c, h);
}

static bool run_way(struct layer_case *c, enum harness_way way)
{
    strata_error err = { 0 };
    struct harness h;
    struct shape in = { .rank = c->x.shape.rank - 1 };
    for (int i = 0; i < in.rank; i++) in.dim[i] = c->x.shape.dim[i + 1];
    bool ok = harness_open(&h, c->runner->device, c->class, c->config, c->x.shape.dim[0], &in, 1, &err)
              || fail_with(c, &err);
    if (ok && harness_can(&h, way)) {
        h.way = way;
        ok = check_names(c, &h) && write_inputs(c, &h)
             && (harness_forward(&h, false, &err) || fail_with(c, &err)) && check(c, &h, "y", &h.y, &c->y);
        if (ok && !c->stochastic) ok = write_inputs(c, &h) && train(c, &h);
    }
    harness_close(&h);
    return ok;
}

/* ---- a file ---- */

static bool run_config(struct layer_case *c, const char *attr)
{
    static const char *const ways[] = { "", ", fused", ", in place" };
    struct golden_array own = c->y;
    const bool other = c->flavour == STRATA_KERAS2 && golden_has(c->file, "y_keras2")
                       && golden_read(c->file, "y_keras2", &c->y);
    bool ok = read_config(c, attr);
    for (int way = HARNESS_PLAIN; ok && way <= HARNESS_IN_PLACE; way++) {
        ok = run_way(c, (enum harness_way)way);
        if (!ok) {
            char *inner = strdup(c->message);
            snprintf(c->message, c->size, "%s%s: %s", attr, ways[way], inner);
            free(inner);
        }
    }
    if (other) {
        golden_free(&c->y);
        c->y = own;
    }
    if (c->config) harness_config_free(c->class, c->config);
    c->config = NULL;
    return ok;
}

/* gelu(approximate=True), which no config can name. */
static bool run_function(struct layer_case *c)
{
    strata_error err = { 0 };
    struct harness h;
    struct shape in = { .rank = 1, .dim = { 1 } };
    const struct layer_class *class = strata_layer_class(strata_class_find(&strata_layers, "Activation"));
    const int kind = ACTIVATION_GELU_APPROXIMATE;
    c->class = class;
    bool ok = harness_open(&h, c->runner->device, class, &kind, c->x.count, &in, 1, &err)
              && harness_write(&h, &h.x[0], c->x.values, &err) && harness_forward(&h, true, &err)
              && harness_write(&h, &h.dy, c->dy.values, &err) && harness_backward(&h, true, &err);
    if (!ok) fail_with(c, &err);
    h.y.shape = h.dx[0].shape = c->x.shape;
    ok = ok && check(c, &h, "y", &h.y, &c->y) && check(c, &h, "dx", &h.dx[0], &c->dx);
    harness_close(&h);
    return ok;
}

static bool run_all_configs(struct layer_case *c)
{
    static const struct {
        const char *attr;
        enum flavour flavour;
    } configs[] = { { "model_config", STRATA_KERAS3 },
                    { "model_config_h5", STRATA_KERAS3 },
                    { "model_config_keras2", STRATA_KERAS2 } };
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof configs / sizeof *configs; i++) {
        c->flavour = configs[i].flavour;
        ok = !golden_has_attr(c->file, configs[i].attr) || run_config(c, configs[i].attr);
    }
    return ok;
}

static bool matches(const char *path)
{
    const size_t length = strlen(path);
    if (length < 3 || strcmp(path + length - 3, ".h5") != 0) return false;
    const hid_t file = golden_open(path);
    const bool is = file >= 0
                    && (golden_has_attr(file, "function")
                        || (golden_has_attr(file, "layer") && golden_has_attr(file, "stochastic")));
    if (file >= 0) H5Fclose(file);
    return is;
}

static bool run(struct runner *runner, const char *path, char *message, size_t size)
{
    struct layer_case c = { .runner = runner, .file = golden_open(path), .message = message, .size = size };
    c.stochastic = golden_attr_int(c.file, ".", "stochastic") != 0;
    bool ok = golden_read(c.file, "x", &c.x) && golden_read(c.file, "y", &c.y);
    if (!ok) snprintf(message, size, "x or y cannot be read");
    golden_read(c.file, "y_train", &c.y_train);
    golden_read(c.file, "dy", &c.dy);
    golden_read(c.file, "dx", &c.dx);
    if (ok) ok = golden_has_attr(c.file, "function") ? run_function(&c) : run_all_configs(&c);
    struct golden_array *arrays[] = { &c.x, &c.y, &c.y_train, &c.dy, &c.dx };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) golden_free(arrays[i]);
    H5Fclose(c.file);
    return ok;
}

const struct case_kind golden_layers = { .name = "layers", .matches = matches, .run = run };
