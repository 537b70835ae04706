/* The frozen bases of W5, layer for layer as keras.applications builds them. */
#define _GNU_SOURCE /* open_memstream */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench_models.h"

/* Layers are written one after the other and named by their number. */
struct writer {
    FILE *out;
    int count;
};

/* A layer on top of layer `input` (and `other`, where that is not negative); returns its number. */
static int add(struct writer *w, const char *class, const char *config, int input, int other)
{
    const int number = w->count++;
    char numbered[32];
    snprintf(numbered, sizeof numbered, "layer%d", number);
    const char *name = strcmp(class, "Dense") == 0 ? "logits" : numbered;
    fprintf(w->out,
            "%s{\"class_name\": \"%s\", \"name\": \"%s\", \"config\": {\"name\": \"%s\"%s%s}, \"inbound_nodes\": [",
            number ? ", " : "", class, name, name, config[0] ? ", " : "", config);
    if (input >= 0) fprintf(w->out, "[[\"layer%d\", 0, 0, {}]", input);
    if (other >= 0) fprintf(w->out, ", [\"layer%d\", 0, 0, {}]", other);
    fprintf(w->out, "%s]}", input >= 0 ? "]" : "");
    return number;
}

static int conv(struct writer *w, const char *class, int filters, int kernel, int stride, const char *padding, int input)
{
    char config[256];
    snprintf(config, sizeof config,
             "\"filters\": %d, \"kernel_size\": [%d, %d], \"strides\": [%d, %d], \"padding\": \"%s\", \"use_bias\": false",
             filters, kernel, kernel, stride, stride, padding);
    return add(w, "BatchNormalization", "", add(w, class, config, input, -1), -1);
}

static int relu(struct writer *w, int input)
{
    return add(w, "Activation", "\"activation\": \"relu\"", input, -1);
}

static int relu6(struct writer *w, int input)
{
    return add(w, "ReLU", "\"max_value\": 6.0", input, -1);
}

static void begin(struct writer *w, int size)
{
    char config[96];
    snprintf(config, sizeof config, "\"batch_input_shape\": [null, %d, %d, 3], \"dtype\": \"float32\"", size, size);
    fprintf(w->out, "{\"class_name\": \"Functional\", \"config\": {\"name\": \"bench\", \"layers\": [");
    add(w, "InputLayer", config, -1, -1);
}

static void end(struct writer *w, int last)
{
    const int pooled = add(w, "GlobalAveragePooling2D", "", last, -1);
    add(w, "Dense", "\"units\": 1000", pooled, -1);
    fprintf(w->out, "], \"input_layers\": [[\"layer0\", 0, 0]], \"output_layers\": [[\"logits\", 0, 0]]}}");
}

/* One depthwise and one pointwise convolution. */
static int mobile_block(struct writer *w, int filters, int stride, int input)
{
    char config[160];
    int at = input;
    if (stride == 2) at = add(w, "ZeroPadding2D", "\"padding\": [[0, 1], [0, 1]]", at, -1);
    snprintf(config, sizeof config,
             "\"kernel_size\": [3, 3], \"strides\": [%d, %d], \"padding\": \"%s\", \"use_bias\": false", stride, stride,
             stride == 2 ? "valid" : "same");
    at = add(w, "DepthwiseConv2D", config, at, -1);
    at = relu6(w, add(w, "BatchNormalization", "", at, -1));
    return relu6(w, conv(w, "Conv2D", filters, 1, 1, "same", at));
}

static void mobilenet(struct writer *w)
{
    static const struct {
        int filters, stride;
    } blocks[] = { { 16, 1 },  { 32, 2 },  { 32, 1 },  { 64, 2 },  { 64, 1 },  { 128, 2 }, { 128, 1 },
                   { 128, 1 }, { 128, 1 }, { 128, 1 }, { 128, 1 }, { 256, 2 }, { 256, 1 } };
    begin(w, 96);
    int at = relu6(w, conv(w, "Conv2D", 8, 3, 2, "same", 0));
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        at = mobile_block(w, blocks[i].filters, blocks[i].stride, at);
    end(w, at);
}

static int separable(struct writer *w, int filters, int input)
{
    return conv(w, "SeparableConv2D", filters, 3, 1, "same", input);
}

/* Two separable convolutions and a pooling beside a projection. */
static int shrinking_block(struct writer *w, int first, int second, bool begins_with_relu, int input)
{
    const int beside = conv(w, "Conv2D", second, 1, 2, "same", input);
    int at = separable(w, first, begins_with_relu ? relu(w, input) : input);
    at = separable(w, second, relu(w, at));
    at = add(w, "MaxPooling2D", "\"pool_size\": [3, 3], \"strides\": [2, 2], \"padding\": \"same\"", at, -1);
    return add(w, "Add", "", at, beside);
}

static void xception(struct writer *w)
{
    begin(w, 71);
    int at = relu(w, conv(w, "Conv2D", 32, 3, 2, "valid", 0));
    at = relu(w, conv(w, "Conv2D", 64, 3, 1, "valid", at));
    at = shrinking_block(w, 128, 128, false, at);
    at = shrinking_block(w, 256, 256, true, at);
    at = shrinking_block(w, 728, 728, true, at);
    for (int block = 0; block < 8; block++) {
        int inner = at;
        for (int i = 0; i < 3; i++) inner = separable(w, 728, relu(w, inner));
        at = add(w, "Add", "", inner, at);
    }
    at = shrinking_block(w, 728, 1024, true, at);
    at = relu(w, separable(w, 1536, at));
    end(w, relu(w, separable(w, 2048, at)));
}

static char *text_of(void (*model)(struct writer *w))
{
    char *text = NULL;
    size_t size = 0;
    struct writer w = { .out = open_memstream(&text, &size) };
    if (!w.out) return NULL;
    model(&w);
    const bool failed = ferror(w.out);
    if (fclose(w.out) == 0 && !failed) return text;
    free(text);
    return NULL;
}

char *strata_mobilenet_json(void)
{
    return text_of(mobilenet);
}

char *strata_xception_json(void)
{
    return text_of(xception);
}
