/* What a run minimizes and measures, for one model and one shape of labels: the loss and the metrics, resolved, and
 * the sums from which their values come. */
#ifndef STRATA_TRAIN_OBJECTIVE_H
#define STRATA_TRAIN_OBJECTIVE_H

#include "data/dataset.h"
#include "train/loss.h"
#include "train/metric.h"
#include "train/training.h"

struct measured {
    struct object metric;
    bool weighted;
    char *name;          /* in logs */
    size_t first, count; /* its sums */
};

/* Sums: first the losses of batches times their samples, then the samples, then each metric's. */
enum { SUM_LOSS, SUM_SAMPLES, SUM_METRICS };

struct objective {
    struct object loss;
    bool at_logits;
    enum activation_kind last;
    strata_type y_type;         /* what the loss reads */
    struct shape truth, pred;   /* of a sample */
    size_t columns, rows;       /* the last extent of pred; loss values a sample */
    struct measured *metrics;
    size_t metric_count;
    size_t sums;                /* doubles */
    const char **names;         /* of the values: "loss", then the metrics; metric_count + 1 */
};

/* Fails when the model has no loss, or the dataset's labels do not fit it: each label is looked at (class indices in
 * range, numbers finite), so that every rank finds the same. */
struct objective *strata_objective_create(const struct training *training, strata_model *model,
                                          const strata_data *data, strata_error *err);
/* Another dataset for the same objective: its labels, and the outputs that the model makes of its samples. */
bool strata_objective_check_data(const struct objective *objective, strata_model *model, const strata_data *data,
                                 strata_error *err);
void strata_objective_free(struct objective *objective); /* takes NULL */

static inline const struct loss_class *strata_objective_loss(const struct objective *objective)
{
    return (const struct loss_class *)objective->loss.class;
}
static inline size_t strata_objective_values(const struct objective *objective)
{
    return 1 + objective->metric_count;
}

/* What the losses of a global batch are divided by: its samples' loss values, their weight, or 1. */
double strata_objective_divisor(const struct objective *objective, size_t global_count, double global_weight,
                                bool weighted);

/* A rank's part of a batch, read back from the device. */
struct part {
    size_t count, global_count;
    size_t counted;             /* samples this part stands for in the mean: global_count or 0 */
    double scale;               /* 1 / divisor */
    double penalty;             /* of activity and weights, this rank's part */
    const float *values;        /* loss values, count * rows */
    const float *weight;        /* count, or NULL */
    const void *y;              /* count labels of y_type */
    const float *y_pred;        /* count predictions; NULL when there are no metrics */
};

void strata_objective_add(const struct objective *objective, const struct part *part, double *sums);
/* values[0] is the loss; then the metrics. NAN before the first sample. */
void strata_objective_results(const struct objective *objective, const double *sums, double *values);

#endif
