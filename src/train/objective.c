#include "train/objective.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/model.h"
#include "model/plan.h"

/* ---- names in logs --------------------------------------------------------------------------------------------------- */

static bool is_taken(const struct objective *o, size_t before, const char *name)
{
    bool taken = strcmp(name, "loss") == 0;
    for (size_t i = 0; i < before; i++) taken = taken || strcmp(o->metrics[i].name, name) == 0;
    return taken;
}

/* A second metric of a name is NAME_1; a weighted one that meets an unweighted one first tries weighted_NAME. As
 * CompileMetrics.result of Keras. */
static bool name_metric(struct objective *o, size_t i, strata_error *err)
{
    char name[256];
    const char *plain = strata_metric_name(&o->metrics[i].metric);
    snprintf(name, sizeof name, "%.200s", plain);
    if (is_taken(o, i, name) && o->metrics[i].weighted) snprintf(name, sizeof name, "weighted_%.200s", plain);
    const size_t length = strlen(name);
    for (int n = 1; is_taken(o, i, name); n++) snprintf(name + length, sizeof name - length, "_%d", n);
    return (o->metrics[i].name = strata_copy_text(name, err)) != NULL;
}

/* ---- creating ---------------------------------------------------------------------------------------------------------- */

static bool add_metrics(struct objective *o, const json_t *specs, bool weighted, strata_error *err)
{
    for (size_t i = 0; i < json_array_size(specs); i++) {
        struct measured *m = &o->metrics[o->metric_count];
        if (!strata_metric_resolve(json_array_get(specs, i), STRATA_KERAS3, &o->truth, &o->pred, &m->metric, err))
            return strata_fail_in(err, "metrics");
        m->weighted = weighted;
        m->first = o->sums;
        m->count = strata_metric_size(&m->metric, &o->pred);
        o->sums += m->count;
        o->metric_count++;
        if (!name_metric(o, o->metric_count - 1, err)) return false;
        o->names[o->metric_count] = m->name;
    }
    return true;
}

static bool resolve_loss(struct objective *o, const struct training *training, const strata_model *model,
                         strata_error *err)
{
    if (!training->loss)
        return strata_fail(err, STRATA_EVALUE, "%s: the model was compiled without a loss; name one",
                           strata_model_name(model));
    if (!strata_loss_resolve(training->loss, STRATA_KERAS3, &o->truth, &o->pred, &o->loss, err)
        || !strata_loss_check(&o->loss, &o->truth, &o->pred, err))
        return false;
    o->y_type = strata_objective_loss(o)->index_labels ? STRATA_INT32 : STRATA_FLOAT32;
    o->last = strata_plan_last_activation(model);
    o->at_logits = strata_loss_at_logits(&o->loss, o->last);
    return true;
}

static bool find_outputs(struct objective *o, strata_model *model, const strata_data *data, strata_error *err)
{
    if (!strata_model_output_for(model, NULL, &data->x.shape, &o->pred, err)) return false;
    o->columns = o->pred.rank > 0 ? o->pred.dim[o->pred.rank - 1] : 1;
    o->rows = strata_loss_rows(&o->pred);
    return true;
}

struct objective *strata_objective_create(const struct training *training, strata_model *model,
                                          const strata_data *data, strata_error *err)
{
    struct objective *o = strata_alloc(1, sizeof *o, err);
    if (!o) return NULL;
    const size_t most = json_array_size(training->metrics) + json_array_size(training->weighted_metrics);
    o->truth = data->y.shape;
    o->sums = SUM_METRICS;
    o->metrics = strata_alloc(most, sizeof *o->metrics, err);
    o->names = o->metrics ? strata_alloc(most + 1, sizeof *o->names, err) : NULL;
    if (o->names) o->names[0] = "loss";
    if (o->names && find_outputs(o, model, data, err) && resolve_loss(o, training, model, err) && strata_objective_check_data(o, model, data, err)
        && add_metrics(o, training->metrics, false, err) && add_metrics(o, training->weighted_metrics, true, err))
        return o;
    strata_objective_free(o);
    return NULL;
}

void strata_objective_free(struct objective *o)
{
    if (!o) return;
    for (size_t i = 0; o->metrics && i < o->metric_count; i++) {
        strata_object_release(&o->metrics[i].metric);
        free(o->metrics[i].name);
    }
    strata_object_release(&o->loss);
    free(o->metrics);
    free(o->names);
    free(o);
}

/* ---- labels ------------------------------------------------------------------------------------------------------------ */

static double label_at(const struct column *y, size_t i)
{
    switch (y->type) {
    case STRATA_FLOAT32: return (double)((const float *)y->values)[i];
    case STRATA_UINT8: return ((const uint8_t *)y->values)[i];
    case STRATA_INT32: return ((const int32_t *)y->values)[i];
    case STRATA_INT64: break;
    }
    return (double)((const int64_t *)y->values)[i];
}

static bool bad_index(const strata_data *data, size_t sample, double label, size_t classes, strata_error *err)
{
    return strata_fail(err, STRATA_EFILE,
                       "%s: the label of sample %zu is %g; the model has %zu outputs, so labels are integers from 0 to %zu",
                       data->name, sample, label, classes, classes - 1);
}

static bool check_labels(const struct objective *o, const strata_data *data, strata_error *err)
{
    const size_t each = strata_shape_count(&data->y.shape);
    for (size_t i = 0; i < data->count * each; i++) {
        const double label = label_at(&data->y, i);
        if (o->y_type == STRATA_INT32 && !(label >= 0 && label < (double)o->columns && label == floor(label)))
            return bad_index(data, i / each, label, o->columns, err);
        if (!isfinite(label))
            return strata_fail(err, STRATA_EFILE, "%s: the label of sample %zu is not a finite number", data->name,
                               i / each);
    }
    return true;
}

bool strata_objective_check_data(const struct objective *o, strata_model *model, const strata_data *data,
                                 strata_error *err)
{
    char given[STRATA_SHAPE_TEXT], expected[STRATA_SHAPE_TEXT];
    struct shape pred;
    if (!strata_model_output_for(model, NULL, &data->x.shape, &pred, err)) return false;
    if (!strata_shape_equal(&pred, &o->pred))
        return strata_fail(err, STRATA_ESHAPE, "%s: the model makes outputs of shape %s of these samples, and of shape %s of "
                           "the training data; the losses of both need one shape", data->name,
                           strata_shape_text(&pred, "None", given), strata_shape_text(&o->pred, "None", expected));
    if (!data->y.values)
        return strata_fail(err, STRATA_EVALUE, "%s: the dataset has no labels", data->name);
    if (!strata_shape_equal(&data->y.shape, &o->truth))
        return strata_fail(err, STRATA_ESHAPE, "%s: labels of shape %s were given, those of the training data have shape %s",
                           data->name, strata_shape_text(&data->y.shape, "None", given),
                           strata_shape_text(&o->truth, "None", expected));
    return check_labels(o, data, err);
}

/* ---- sums ----------------------------------------------------------------------------------------------------------------- */

double strata_objective_divisor(const struct objective *o, size_t global_count, double global_weight, bool weighted)
{
    switch (((const struct loss_common *)o->loss.config)->reduction) {
    case LOSS_SUM: return 1;
    case LOSS_WEIGHTED_MEAN: return weighted ? global_weight : (double)(global_count * o->rows);
    default: return (double)(global_count * o->rows);
    }
}

static double weighted_sum(const struct objective *o, const struct part *part)
{
    double sum = 0;
    for (size_t i = 0; i < part->count; i++) {
        double sample = 0;
        for (size_t r = 0; r < o->rows; r++) sample += (double)part->values[i * o->rows + r];
        sum += part->weight ? sample * (double)part->weight[i] : sample;
    }
    return sum;
}

void strata_objective_add(const struct objective *o, const struct part *part, double *sums)
{
    const double samples = (double)part->global_count;
    sums[SUM_LOSS] += samples * (part->scale * weighted_sum(o, part) + part->penalty);
    sums[SUM_SAMPLES] += (double)part->counted;
    struct metric_input in = {
        .n = part->count, .pred = o->pred, .truth = o->truth, .y_pred = part->y_pred,
        .y_true = o->y_type == STRATA_FLOAT32 ? part->y : NULL, .index = o->y_type == STRATA_INT32 ? part->y : NULL,
    };
    for (size_t i = 0; part->count > 0 && i < o->metric_count; i++) {
        const struct measured *m = &o->metrics[i];
        in.weight = m->weighted ? part->weight : NULL;
        strata_metric_update(&m->metric, &in, sums + m->first);
    }
}

void strata_objective_results(const struct objective *o, const double *sums, double *values)
{
    values[0] = sums[SUM_SAMPLES] > 0 ? sums[SUM_LOSS] / sums[SUM_SAMPLES] : (double)NAN;
    for (size_t i = 0; i < o->metric_count; i++) {
        const struct measured *m = &o->metrics[i];
        values[1 + i] = strata_metric_result(&m->metric, sums + m->first, m->count);
    }
}
