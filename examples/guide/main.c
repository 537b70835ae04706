/* Keras's guide to the Sequential model, line by line, in C. Each part prints what the guide shows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/files.h>
#include <strata/train.h>

static bool add(strata_model *model, const char *class_name, const char *config, strata_error *err)
{
    strata_layer *layer = strata_layer_create(class_name, config, err);
    return layer && strata_model_add(model, layer, err);
}

static void print_layers(const strata_model *model)
{
    printf("layers:");
    for (size_t i = 0; i < strata_model_layer_count(model); i++)
        printf(" %s", strata_layer_name(strata_model_layer(model, i)));
    printf("\n");
}

static bool print_summary(const strata_model *model, strata_error *err)
{
    const strata_summary_options options = { .style = STRATA_FLAVOUR_KERAS2 };
    char *text = strata_model_summary(model, &options, err);
    if (text)
        fputs(text, stdout);
    free(text);
    return text != NULL;
}

/* ---- Creating a Sequential model: a list of layers, add, or the list as Keras itself writes it ---- */

static const char list[] = "[{\"Dense\": {\"units\": 2, \"activation\": \"relu\", \"name\": \"layer1\"}},"
                           " {\"Dense\": {\"units\": 3, \"activation\": \"relu\", \"name\": \"layer2\"}},"
                           " {\"Dense\": {\"units\": 4, \"name\": \"layer3\"}}]";

static bool same_json(const strata_model *a, const strata_model *b, strata_error *err)
{
    char *one = strata_model_to_json(a, STRATA_FLAVOUR_KERAS3, err), *other = strata_model_to_json(b, STRATA_FLAVOUR_KERAS3, err);
    const bool same = one && other && strcmp(one, other) == 0;
    free(one);
    free(other);
    return same;
}

static bool three_ways(strata_error *err)
{
    strata_model *listed = strata_model_from_json(list, err), *added = strata_sequential_create(NULL, err), *read = NULL;
    char *json = NULL;
    bool ok = listed && added && add(added, "Dense", "{\"units\": 2, \"activation\": \"relu\", \"name\": \"layer1\"}", err)
           && add(added, "Dense", "{\"units\": 3, \"activation\": \"relu\", \"name\": \"layer2\"}", err)
           && add(added, "Dense", "{\"units\": 4, \"name\": \"layer3\"}", err)
           && (json = strata_model_to_json(listed, STRATA_FLAVOUR_KERAS3, err)) && (read = strata_model_from_json(json, err));
    if (ok) {
        printf("three equal ways: %s\n", same_json(listed, added, err) && same_json(listed, read, err) ? "yes" : "no");
        print_layers(listed);
        ok = strata_model_pop(listed, err);
        printf("after pop: %zu layers\n", strata_model_layer_count(listed));
    }
    free(json);
    strata_model_free(listed);
    strata_model_free(added);
    strata_model_free(read);
    return ok;
}

/* ---- Specifying the input shape in advance ---- */

static bool input_shapes(strata_error *err)
{
    size_t count = 0;
    strata_error unbuilt = { 0 };
    const strata_shape four = { .rank = 1, .dim = { 4 } };
    strata_model *model = strata_model_from_json(list, err), *known = strata_sequential_create(NULL, err);
    bool ok = model && known;
    if (ok && !strata_model_weight_count(model, &count, &unbuilt))
        printf("before the call: %s\n", unbuilt.message);
    ok = ok && strata_model_build(model, &four, 1, err) && strata_model_weight_count(model, &count, err);
    if (ok)
        printf("Number of weights after calling the model: %zu\n", count);
    ok = ok && print_summary(model, err) && add(known, "Input", "{\"shape\": [4]}", err)
      && add(known, "Dense", "{\"units\": 2, \"activation\": \"relu\"}", err) && print_summary(known, err);
    if (ok)
        print_layers(known);
    strata_model_free(model);
    strata_model_free(known);
    return ok;
}

/* ---- A common debugging workflow: add and summary ---- */

static bool print_params(const char *stage, const strata_model *model, strata_error *err)
{
    size_t total = 0, trainable = 0;
    const bool ok = strata_model_count_params(model, &total, &trainable, err);
    printf("%s: %zu parameters\n", stage, total);
    return ok && print_summary(model, err);
}

static bool debugging(strata_error *err)
{
    const char *const conv = "{\"filters\": 32, \"kernel_size\": 3, \"activation\": \"relu\"}";
    strata_model *model = strata_sequential_create(NULL, err);
    const bool ok = model && add(model, "Input", "{\"shape\": [250, 250, 3]}", err)
                 && add(model, "Conv2D", "{\"filters\": 32, \"kernel_size\": 5, \"strides\": 2, \"activation\": \"relu\"}", err)
                 && add(model, "Conv2D", conv, err) && add(model, "MaxPooling2D", "{\"pool_size\": 3}", err)
                 && print_params("first stage", model, err) && add(model, "Conv2D", conv, err) && add(model, "Conv2D", conv, err)
                 && add(model, "MaxPooling2D", "{\"pool_size\": 3}", err) && add(model, "Conv2D", conv, err)
                 && add(model, "Conv2D", conv, err) && add(model, "MaxPooling2D", "{\"pool_size\": 2}", err)
                 && print_params("second stage", model, err) && add(model, "GlobalMaxPooling2D", NULL, err)
                 && add(model, "Dense", "{\"units\": 10}", err) && print_params("third stage", model, err);
    strata_model_free(model);
    return ok;
}

/* ---- Feature extraction ---- */

enum { IMAGES = 2, SIDE = 50 };

static strata_data *images(strata_error *err)
{
    static float x[IMAGES][SIDE][SIDE][3];
    for (int i = 0; i < IMAGES * SIDE * SIDE * 3; i++)
        (&x[0][0][0][0])[i] = 1;
    const strata_array array = { STRATA_FLOAT32, 4, { IMAGES, SIDE, SIDE, 3 }, x };
    const strata_array none = { .values = NULL };
    return strata_data_from_arrays(&array, &none, NULL, err);
}

static bool print_features(strata_model *model, strata_context *context, const strata_data *data, const strata_layer *const *layers,
                           size_t count, strata_error *err)
{
    float *features[8] = { NULL };
    const bool ok = strata_model_extract(model, context, data, IMAGES, layers, count, features, err);
    for (size_t i = 0; i < count; i++) {
        const strata_shape shape = strata_layer_output_shape(layers[i]);
        if (ok)
            printf("features of %s: (%d, %zu, %zu, %zu)\n", strata_layer_name(layers[i]), IMAGES, shape.dim[0], shape.dim[1],
                   shape.dim[2]);
        free(features[i]);
    }
    return ok;
}

static bool extraction(strata_context *context, strata_error *err)
{
    strata_data *data = images(err);
    strata_model *model = strata_sequential_create(NULL, err);
    const strata_layer *all[8] = { NULL }, *middle = NULL;
    bool ok = data && model && add(model, "Input", "{\"shape\": [50, 50, 3]}", err)
           && add(model, "Conv2D", "{\"filters\": 32, \"kernel_size\": 5, \"strides\": 2, \"activation\": \"relu\"}", err)
           && add(model, "Conv2D", "{\"filters\": 32, \"kernel_size\": 3, \"activation\": \"relu\", \"name\": \"my_intermediate_layer\"}", err)
           && add(model, "Conv2D", "{\"filters\": 32, \"kernel_size\": 3, \"activation\": \"relu\"}", err);
    for (size_t i = 0; ok && i < strata_model_layer_count(model); i++)
        all[i] = strata_model_layer(model, i);
    ok = ok && print_features(model, context, data, all, 3, err)
      && (middle = strata_model_get_layer(model, "my_intermediate_layer", err)) && print_features(model, context, data, &middle, 1, err);
    strata_model_free(model);
    strata_data_free(data);
    return ok;
}

/* ---- Transfer learning: load weights, freeze all layers but the last, compile again, train ---- */

enum { SAMPLES = 256 };

static strata_data *digits(strata_error *err)
{
    static float x[SAMPLES][784];
    static int32_t y[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        y[i] = i % 10;
        for (int k = 0; k < 784; k++)
            x[i][k] = (float)((k * (y[i] + 3) + i) % 17) / 17;
    }
    const strata_array pixels = { STRATA_FLOAT32, 2, { SAMPLES, 784 }, x }, labels = { STRATA_INT32, 1, { SAMPLES }, y };
    return strata_data_from_arrays(&pixels, &labels, NULL, err);
}

static strata_model *four_dense(strata_error *err)
{
    return strata_model_from_json("[{\"Input\": {\"shape\": [784]}}, {\"Dense\": {\"units\": 32, \"activation\": \"relu\"}},"
                                  " {\"Dense\": {\"units\": 32, \"activation\": \"relu\"}}, {\"Dense\": {\"units\": 32, \"activation\": \"relu\"}},"
                                  " {\"Dense\": {\"units\": 10}}]", err);
}

/* Which weights of the model have other bits than those of the other. */
static bool print_changes(strata_model *a, strata_model *b, strata_error *err)
{
    static float one[784 * 32], other[784 * 32];
    size_t count = 0;
    bool ok = strata_model_weight_count(a, &count, err);
    printf("changed:");
    for (size_t i = 0; ok && i < count; i++) {
        const strata_weight_info info = strata_model_weight_info(a, i);
        ok = strata_model_get_weight(a, i, one, info.count, err) && strata_model_get_weight(b, i, other, info.count, err);
        if (ok && memcmp(one, other, info.count * sizeof *one) != 0)
            printf(" %s/%s", info.layer, info.name);
    }
    printf("\n");
    return ok;
}

static bool transfer(strata_context *context, strata_error *err)
{
    const char *const compile = "{\"optimizer\": \"adam\", \"loss\": {\"SparseCategoricalCrossentropy\": {\"from_logits\": true}}}";
    strata_fit_config fit = strata_fit_defaults();
    strata_data *data = digits(err);
    strata_model *pretrained = four_dense(err), *model = four_dense(err);
    bool ok = data && pretrained && model && strata_model_save(pretrained, "guide.weights.h5", NULL, err)
           && strata_model_load_weights(model, "guide.weights.h5", NULL, NULL, err);
    for (size_t i = 0; ok && i + 1 < strata_model_layer_count(model); i++)
        strata_layer_set_trainable(strata_model_layer(model, i), false);
    ok = ok && strata_model_compile(model, compile, err) && strata_model_fit(model, context, data, &fit, NULL, err)
      && print_changes(model, pretrained, err);
    strata_model_free(pretrained);
    strata_model_free(model);
    strata_data_free(data);
    return ok;
}

int main(void)
{
    strata_error err = { 0 };
    strata_context *context = strata_context_create(NULL, &err);
    if (!context || !three_ways(&err) || !input_shapes(&err) || !debugging(&err) || !extraction(context, &err)
        || !transfer(context, &err))
        fprintf(stderr, "error: %s\n", err.message);
    strata_context_free(context);
    return strata_exit_code(err.code);
}
