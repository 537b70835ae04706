/* Writing Keras 3's .weights.h5, alone or in a .keras.
 * Source: saving_lib.py of Keras 3. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "files/compile_config.h"
#include "files/leaves.h"
#include "files/save.h"

static char *joined(const char *group, const char *rest, strata_error *err)
{
    struct text path = { 0 };
    strata_text_add(&path, "%s%s%s", group, *group ? "/" : "", rest);
    return strata_text_take(&path, err);
}

static bool put_vars(struct h5 *file, const char *group, const char *name, char **vars, strata_error *err)
{
    *vars = joined(group, "vars", err);
    return *vars && strata_h5_put_group(file, *vars, err)
           && strata_h5_put_text(file, *vars, "name", name, true, err);
}

static char *numbered(const char *vars, size_t number, strata_error *err)
{
    struct text path = { 0 };
    strata_text_add(&path, "%s/%zu", vars, number);
    return strata_text_take(&path, err);
}

struct putting {
    struct h5 *file;
    bool numbers; /* else the weights have their places alone */
};

static bool put_numbers(struct h5 *file, const char *path, strata_layer *layer, size_t index, strata_error *err)
{
    const strata_weight_info info = strata_layer_weight_info(layer, index);
    float *values = strata_alloc(info.count, sizeof *values, err);
    const bool ok = values && strata_layer_get_weight(layer, index, values, info.count, err)
                    && strata_h5_put_floats(file, path, &info.shape, values, err);
    free(values);
    return ok;
}

static bool put_weight(const struct putting *p, const char *vars, strata_layer *layer, size_t index, strata_error *err)
{
    const strata_weight_info info = strata_layer_weight_info(layer, index);
    char *path = numbered(vars, index, err);
    const bool ok = path && (p->numbers ? put_numbers(p->file, path, layer, index, err)
                                        : strata_h5_put_place(p->file, path, &info.shape, err));
    free(path);
    return ok;
}

static bool put_layer(void *context, const struct place *place, strata_error *err)
{
    const struct putting *p = context;
    char *vars = NULL;
    bool ok = put_vars(p->file, place->key, strata_layer_name(place->layer), &vars, err);
    const size_t count = strata_layer_model(place->layer) ? 0 : strata_layer_weight_count(place->layer);
    for (size_t i = 0; ok && i < count; i++) ok = put_weight(p, vars, place->layer, i, err);
    free(vars);
    return ok;
}

static bool put_variable(struct h5 *file, const char *vars, const struct saved_variable *variable, size_t number,
                         strata_error *err)
{
    char *path = numbered(vars, number, err);
    const bool ok =
        path
        && (variable->integer  ? strata_h5_put_integer(file, path, variable->integers, err)
            : variable->values ? strata_h5_put_floats(file, path, &variable->shape, variable->values, err)
                               : strata_h5_put_place(file, path, &variable->shape, err));
    free(path);
    return ok;
}

/* The variables from the first one on. */
static bool put_variables(struct h5 *file, const char *group, const char *name, const struct saved_training *training, size_t first,
                          strata_error *err)
{
    char *vars = NULL;
    bool ok = put_vars(file, group, name, &vars, err);
    for (size_t i = first; ok && i < training->count; i++)
        ok = put_variable(file, vars, &training->variables[i], i - first, err);
    free(vars);
    return ok;
}

/* Keras writes what is inside a LossScaleOptimizer twice, and reads it twice. */
static bool put_optimizer(struct h5 *file, const struct saved_training *training, strata_error *err)
{
    if (!training || training->count == 0) return true;
    const char *inside = strata_inner_optimizer_name(training->compile_config);
    return put_variables(file, "optimizer", strata_optimizer_name(training->compile_config), training, 0, err)
           && (!inside || put_variables(file, "optimizer/inner_optimizer", inside, training, STRATA_OUTER_VARIABLES, err));
}

bool strata_store_put(struct h5 *file, const strata_model *model, const struct saved_training *training, bool numbers,
                      strata_error *err)
{
    char *vars = NULL;
    struct putting p = { file, numbers };
    const bool ok = put_vars(file, "", strata_model_name(model), &vars, err)
                    && strata_places_walk(model, put_layer, &p, err) && put_optimizer(file, training, err);
    free(vars);
    return ok;
}
