#include "cli/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t strata_host_count(const struct host_tensor *t)
{
    size_t count = 1;
    for (int i = 0; i < t->rank; i++) count *= t->dim[i];
    return count;
}

void strata_host_release(struct host_tensor *t)
{
    free(t->values);
    *t = (struct host_tensor){ 0 };
}

/* One layer at work: its weights are taken from *next on. */
struct host_layer {
    const char *name;
    const json_t *config;
    const double *const **next;
    bool training;
};

static bool make(struct host_tensor *t, strata_error *err)
{
    t->values = calloc(strata_host_count(t) + 1, sizeof *t->values);
    return t->values || strata_command_fail(err, STRATA_EMEMORY, "out of memory");
}

static const double *take(const struct host_layer *l)
{
    return *(*l->next)++;
}

/* ---- arguments ------------------------------------------------------------------------------------------------- */

/* A number, or one of a pair, or `otherwise`. */
static size_t pair_at(const json_t *config, const char *key, size_t i, size_t otherwise)
{
    const json_t *json = json_object_get(config, key);
    if (json_is_array(json)) json = json_array_get(json, i);
    return json_is_integer(json) ? (size_t)json_integer_value(json) : otherwise;
}

static const char *text_of(const json_t *config, const char *key, const char *otherwise)
{
    const json_t *json = json_object_get(config, key);
    return json_is_string(json) ? json_string_value(json) : otherwise;
}

static double activate(const char *name, double x)
{
    if (strcmp(name, "relu") == 0) return x > 0 ? x : 0;
    if (strcmp(name, "tanh") == 0) return tanh(x);
    if (strcmp(name, "sigmoid") == 0) return 1 / (1 + exp(-x));
    if (strcmp(name, "elu") == 0) return x > 0 ? x : expm1(x);
    if (strcmp(name, "softplus") == 0) return log1p(exp(-fabs(x))) + (x > 0 ? x : 0);
    if (strcmp(name, "silu") == 0) return x / (1 + exp(-x));
    return x;
}

static void activate_all(const struct host_layer *l, struct host_tensor *y)
{
    const char *name = text_of(l->config, "activation", "linear");
    const size_t count = strata_host_count(y);
    for (size_t i = 0; i < count; i++) y->values[i] = activate(name, y->values[i]);
}

/* ---- windows ---------------------------------------------------------------------------------------------------- */

/* How a window goes along one axis. */
struct host_window {
    size_t size, stride, dilation, in, out;
    long before; /* cells of padding before the first */
};

static struct host_window window(const struct host_layer *l, const struct host_tensor *x, int axis,
                                 const char *key)
{
    const size_t i = (size_t)axis - 1;
    const bool pool = strstr(l->name, "Pooling") != NULL;
    struct host_window w = { .size = pair_at(l->config, key, i, 2), .in = x->dim[axis] };
    w.stride = pair_at(l->config, "strides", i, pool ? w.size : 1);
    w.dilation = pair_at(l->config, "dilation_rate", i, 1);
    const size_t reach = (w.size - 1) * w.dilation + 1;
    if (strcmp(text_of(l->config, "padding", "valid"), "same") != 0) {
        w.out = (w.in - reach) / w.stride + 1;
        return w;
    }
    w.out = (w.in + w.stride - 1) / w.stride;
    const long all = (long)((w.out - 1) * w.stride + reach) - (long)w.in;
    w.before = all > 0 ? all / 2 : 0;
    return w;
}

/* The input cell under window cell k of output cell o, or -1 in the padding. */
static long cell(const struct host_window *w, size_t o, size_t k)
{
    const long at = (long)(o * w->stride + k * w->dilation) - w->before;
    return at >= 0 && at < (long)w->in ? at : -1;
}

static double at(const struct host_tensor *x, size_t n, long row, long column, size_t channel)
{
    return x->values[((n * x->dim[1] + (size_t)row) * x->dim[2] + (size_t)column) * x->dim[3] + channel];
}

/* Calls `value` for every output element of a windowed layer. */
struct windows {
    struct host_window rows, columns;
    const struct host_tensor *x;
    const double *kernel, *bias;
    size_t filters, groups;
};

static double convolve(const struct windows *w, size_t n, size_t i, size_t j, size_t f)
{
    const size_t part = w->x->dim[3] / w->groups, first = f / (w->filters / w->groups) * part;
    double sum = w->bias[f];
    for (size_t a = 0; a < w->rows.size; a++)
        for (size_t b = 0; b < w->columns.size; b++) {
            const long row = cell(&w->rows, i, a), column = cell(&w->columns, j, b);
            for (size_t c = 0; row >= 0 && column >= 0 && c < part; c++)
                sum += at(w->x, n, row, column, first + c)
                       * w->kernel[((a * w->columns.size + b) * part + c) * w->filters + f];
        }
    return sum;
}

/* Output channel f is input channel f / multiplier. */
static double convolve_depth(const struct windows *w, size_t n, size_t i, size_t j, size_t f)
{
    const size_t channels = w->x->dim[3], multiplier = w->filters / channels;
    double sum = w->bias[f];
    for (size_t a = 0; a < w->rows.size; a++)
        for (size_t b = 0; b < w->columns.size; b++) {
            const long row = cell(&w->rows, i, a), column = cell(&w->columns, j, b);
            if (row >= 0 && column >= 0)
                sum += at(w->x, n, row, column, f / multiplier)
                       * w->kernel[(a * w->columns.size + b) * channels * multiplier + f];
        }
    return sum;
}

static double largest(const struct windows *w, size_t n, size_t i, size_t j, size_t f)
{
    double most = -HUGE_VAL;
    for (size_t a = 0; a < w->rows.size; a++)
        for (size_t b = 0; b < w->columns.size; b++) {
            const long row = cell(&w->rows, i, a), column = cell(&w->columns, j, b);
            if (row >= 0 && column >= 0) most = fmax(most, at(w->x, n, row, column, f));
        }
    return most;
}

static double average(const struct windows *w, size_t n, size_t i, size_t j, size_t f)
{
    double sum = 0, cells = 0;
    for (size_t a = 0; a < w->rows.size; a++)
        for (size_t b = 0; b < w->columns.size; b++) {
            const long row = cell(&w->rows, i, a), column = cell(&w->columns, j, b);
            if (row < 0 || column < 0) continue;
            sum += at(w->x, n, row, column, f);
            cells++;
        }
    return sum / cells;
}

static bool slide(const struct windows *w,
                  double (*value)(const struct windows *, size_t, size_t, size_t, size_t),
                  struct host_tensor *y, strata_error *err)
{
    *y = (struct host_tensor){ 4, { w->x->dim[0], w->rows.out, w->columns.out, w->filters }, NULL };
    if (!make(y, err)) return false;
    double *out = y->values;
    for (size_t n = 0; n < y->dim[0]; n++)
        for (size_t i = 0; i < y->dim[1]; i++)
            for (size_t j = 0; j < y->dim[2]; j++)
                for (size_t f = 0; f < y->dim[3]; f++) *out++ = value(w, n, i, j, f);
    return true;
}

static bool conv2d(const struct host_layer *l, const struct host_tensor *x, struct host_tensor *y,
                   strata_error *err)
{
    const double *kernel = take(l), *bias = take(l);
    const struct windows w = { .rows = window(l, x, 1, "kernel_size"),
                               .columns = window(l, x, 2, "kernel_size"),
                               .x = x,
                               .kernel = kernel,
                               .bias = bias,
                               .filters = pair_at(l->config, "filters", 0, 1),
                               .groups = pair_at(l->config, "groups", 0, 1) };
    if (!slide(&w, convolve, y, err)) return false;
    activate_all(l, y);
    return true;
}

static bool depthwise(const struct host_layer *l, const struct host_tensor *x, struct host_tensor *y,
                      strata_error *err)
{
    const double *kernel = take(l), *bias = take(l);
    const struct windows w = { .rows = window(l, x, 1, "kernel_size"),
                               .columns = window(l, x, 2, "kernel_size"),
                               .x = x,
                               .kernel = kernel,
                               .bias = bias,
                               .filters = x->dim[3] * pair_at(l->config, "depth_multiplier", 0, 1) };
    if (!slide(&w, convolve_depth, y, err)) return false;
    activate_all(l, y);
    return true;
}

static bool pool(const struct host_layer *l, const struct host_tensor *x, struct host_tensor *y,
                 strata_error *err)
{
    const struct windows w = { .rows = window(l, x, 1, "pool_size"),
                               .columns = window(l, x, 2, "pool_size"),
                               .x = x,
                               .filters = x->dim[3] };
    return slide(&w, strcmp(l->name, "MaxPooling2D") == 0 ? largest : average, y, err);
}

static bool global_pool(const struct host_layer *l, const struct host_tensor *x, struct host_tensor *y,
                        strata_error *err)
{
    const struct host_window rows = {
        .size = x->dim[1], .stride = 1, .dilation = 1, .in = x->dim[1], .out = 1
    };
    const struct host_window columns = {
        .size = x->dim[2], .stride = 1, .dilation = 1, .in = x->dim[2], .out = 1
    };
    const struct windows w = { .rows = rows, .columns = columns, .x = x, .filters = x->dim[3] };
    const bool ok = slide(&w, strcmp(l->name, "GlobalMaxPooling2D") == 0 ? largest : average, y, err);
    *y = (struct host_tensor){ 2, { y->dim[0], x->dim[3] }, y->values };
    return ok;
}

/* ---- the others ------------------------------------------------------------------------------------------------- */

static bool dense(const struct host_layer *l, const struct host_tensor *x, struct host_tensor *y,
                  strata_error *err)
{
    const size_t in = x->dim[x->rank - 1], rows = strata_host_count(x) / in;
    const size_t units = pair_at(l->config, "units", 0, 1);
    const double *kernel = take(l), *bias = take(l);
    *y = *x;
    y->dim[y->rank - 1] = units;
    if (!make(y, err)) return false;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < units; j++) {
            double sum = bias[j];
            for (size_t k = 0; k < in; k++) sum += x->values[i * in + k] * kernel[k * units + j];
            y->values[i * units + j] = sum;
        }
    activate_all(l, y);
    return true;
}

static bool copy(const struct host_tensor *x, struct host_tensor *y, strata_error *err)
{
    *y = *x;
    if (!make(y, err)) return false;
    memcpy(y->values, x->values, strata_host_count(x) * sizeof *y->values);
    return true;
}

static bool flatten(const struct host_layer *l, const struct host_tensor *x, struct host_tensor *y,
                    strata_error *err)
{
    (void)l;
    if (!copy(x, y, err)) return false;
    y->dim[1] = strata_host_count(x) / x->dim[0];
    y->rank = 2;
    return true;
}

static bool activation(const struct host_layer *l, const struct host_tensor *x, struct host_tensor *y,
                       strata_error *err)
{
    if (!copy(x, y, err)) return false;
    activate_all(l, y);
    return true;
}

/* Mean and biased variance of every `stride`-th number from `first`. */
static void statistics(const struct host_tensor *x, size_t first, size_t stride, size_t count, double *mean,
                       double *variance)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) sum += x->values[first + i * stride];
    *mean = sum / (double)count;
    for (size_t i = 0; i < count; i++) {
        const double d = x->values[first + i * stride] - *mean;
        squares += d * d;
    }
    *variance = squares / (double)count;
}

/* Over the batch and all positions in training, by the moving statistics in inference. */
static bool batch_norm(const struct host_layer *l, const struct host_tensor *x, struct host_tensor *y,
                       strata_error *err)
{
    const size_t channels = x->dim[x->rank - 1], rows = strata_host_count(x) / channels;
    const double *gamma = take(l), *beta = take(l), *moving_mean = take(l), *moving_variance = take(l);
    if (!copy(x, y, err)) return false;
    for (size_t c = 0; c < channels; c++) {
        double mean = moving_mean[c], variance = moving_variance[c];
        if (l->training) statistics(x, c, channels, rows, &mean, &variance);
        for (size_t i = 0; i < rows; i++) {
            double *v = &y->values[i * channels + c];
            *v = gamma[c] * (*v - mean) / sqrt(variance + 1e-3) + beta[c];
        }
    }
    return true;
}

/* Over the last axis. */
static bool layer_norm(const struct host_layer *l, const struct host_tensor *x, struct host_tensor *y,
                       strata_error *err)
{
    const size_t channels = x->dim[x->rank - 1], rows = strata_host_count(x) / channels;
    const double *gamma = take(l), *beta = take(l);
    if (!copy(x, y, err)) return false;
    for (size_t i = 0; i < rows; i++) {
        double mean, variance;
        statistics(x, i * channels, 1, channels, &mean, &variance);
        for (size_t c = 0; c < channels; c++) {
            double *v = &y->values[i * channels + c];
            *v = gamma[c] * (*v - mean) / sqrt(variance + 1e-3) + beta[c];
        }
    }
    return true;
}

static const struct {
    const char *name;
    bool (*forward)(const struct host_layer *layer, const struct host_tensor *x, struct host_tensor *y,
                    strata_error *err);
} host_layers[] = {
    { "Dense", dense },
    { "Conv2D", conv2d },
    { "DepthwiseConv2D", depthwise },
    { "MaxPooling2D", pool },
    { "AveragePooling2D", pool },
    { "GlobalMaxPooling2D", global_pool },
    { "GlobalAveragePooling2D", global_pool },
    { "Flatten", flatten },
    { "Activation", activation },
    { "BatchNormalization", batch_norm },
    { "LayerNormalization", layer_norm },
};

static bool forward_one(const struct host_layer *l, const struct host_tensor *x, struct host_tensor *y,
                        strata_error *err)
{
    for (size_t i = 0; i < sizeof host_layers / sizeof *host_layers; i++)
        if (strcmp(host_layers[i].name, l->name) == 0) return host_layers[i].forward(l, x, y, err);
    return strata_command_fail(err, STRATA_EBUG, "selftest: no reference of %s", l->name);
}

bool strata_host_forward(const json_t *layers, const double *const *weights, const struct host_tensor *x,
                         bool training, struct host_tensor *y, strata_error *err)
{
    struct host_tensor now;
    size_t index;
    json_t *entry;
    if (!copy(x, &now, err)) return false;
    json_array_foreach(layers, index, entry)
    {
        const char *name = json_object_iter_key(json_object_iter(entry));
        const struct host_layer layer = { name, json_object_get(entry, name), &weights, training };
        struct host_tensor next = { 0 };
        if (strcmp(name, "Input") == 0) continue;
        const bool ok = forward_one(&layer, &now, &next, err);
        strata_host_release(&now);
        now = next;
        if (!ok) return false;
    }
    *y = now;
    return true;
}

double strata_host_crossentropy(const struct host_tensor *logits, const int *labels)
{
    const size_t classes = logits->dim[1];
    double loss = 0;
    for (size_t n = 0; n < logits->dim[0]; n++) {
        const double *row = logits->values + n * classes;
        double most = row[0], sum = 0;
        for (size_t j = 1; j < classes; j++) most = fmax(most, row[j]);
        for (size_t j = 0; j < classes; j++) sum += exp(row[j] - most);
        loss += log(sum) + most - row[labels[n]];
    }
    return loss / (double)logits->dim[0];
}
