/* Optimizers: updates of a flat span of weights from their gradients.
 * Source: Keras 3 keras/src/optimizers, each class's update_step. */
#ifndef STRATA_TRAIN_OPTIMIZER_H
#define STRATA_TRAIN_OPTIMIZER_H

#include "base/fields.h"
#include "ops/view.h"

enum { STRATA_MAX_SLOTS = 4 };

/* One elementwise update of n elements: w and g at their places in the arenas, each slot at its own. */
struct optimizer_step {
    struct run *run;
    struct view w, g;
    struct view squares;  /* what stands for g * g; buffer NULL: that itself. See weight_spec.squares */
    struct view slot[STRATA_MAX_SLOTS];
    size_t n;
    double learning_rate; /* of this step, the schedule applied */
    int64_t iteration;    /* counted from 1 */
    double state;         /* a scalar that some optimizers carry (Nadam's product of u); see advance */
};

/* Every optimizer config begins with this; the fields are in OPTIMIZER_FIELDS of optimizer_fields.h. */
struct optimizer_common {
    struct object learning_rate; /* a schedule; a number is the schedule "Constant" */
    double weight_decay, clipnorm, global_clipnorm, clipvalue; /* NAN: none */
    bool use_ema;
    double ema_momentum;
    long ema_overwrite_frequency; /* STRATA_NO_INT: none */
    double loss_scale_factor;
    long gradient_accumulation_steps; /* STRATA_NO_INT: none */
    char *name;
    double decay;  /* of old Keras 2 files; becomes an InverseTimeDecay */
    bool ignored;  /* what Keras 2 writes and nobody needs */
};

struct optimizer_class {
    struct class class;
    int (*slots)(const void *config);                              /* how many a weight has */
    const char *(*slot_name)(const void *config, int slot);        /* Keras 3's: "momentum", "velocity" */
    float (*slot_start)(const void *config, int slot);             /* initial value; NULL: 0 */
    int interleaved; /* so many of the first slots lie variable by variable together where Keras lists them; else each
                        slot's are together */
    double (*advance)(const void *config, double state, int64_t iteration); /* next state; NULL: none */
    bool (*update)(const void *config, const struct optimizer_step *step, strata_error *err);
};

extern const struct registry strata_optimizers;

struct schedule_class {
    struct class class;
    double (*value)(const void *config, int64_t step); /* step counted from 0 */
};
extern const struct registry strata_schedules;

/* The schedule that a plain number makes; Keras has no class for it. */
#define STRATA_CONSTANT_RATE "Constant"
bool strata_schedule_is_constant(const struct object *schedule);
double strata_schedule_value(const struct object *schedule, int64_t step);

#endif
