/* The standard workloads. */
#ifndef STRATA_CLI_BENCH_MODELS_H
#define STRATA_CLI_BENCH_MODELS_H

#include <strata/model.h>

struct workload {
    const char *name, *about;
    size_t batch; /* of one rank */
    int rank;     /* of a sample */
    size_t shape[3];
    int classes;
    double mflop;             /* multiplications and additions to train on a sample, in millions */
    const char *layers;       /* with an Input before and a Dense after; NULL: `base` */
    char *(*base)(void);      /* the JSON of a model whose layer "logits" alone is trained; NULL without memory */
};

extern const struct workload strata_workloads[]; /* ends in { 0 } */

/* Compiled for Adam and a loss on logits over integer labels; inner layers have `width` times the filters and units. One with a
 * base has its own width alone: else STRATA_EUSAGE. */
strata_model *strata_workload_model(const struct workload *workload, size_t width, strata_error *err);

/* Keras's applications without their tops, pooled and with a Dense of 1000: as functional models in Keras 2's JSON, to
 * be freed. */
char *strata_mobilenet_json(void); /* MobileNet, alpha 0.25, 96 x 96 */
char *strata_xception_json(void);  /* Xception, 71 x 71 */

#endif
