/* What a plan is inside; for plan.c, plan_memory.c and plan_emit.c. */
#ifndef STRATA_MODEL_PLAN_PRIV_H
#define STRATA_MODEL_PLAN_PRIV_H

#include "model/arena.h"
#include "model/lower.h"
#include "model/plan.h"

/* Step numbers of lifetimes: the input is converted in step 0, node i runs forward in step i + 1, the loss follows, then
 * the nodes run backward from the last to the first. */
struct plan {
    struct plan_config config;
    strata_model *model;
    struct params *params;
    struct flat_list flat;
    int at;                   /* node that the loss works on: the output, or the input of the last activation */
    bool integer;             /* the first layer reads int32 */
    bool convert;             /* the input needs a conversion step */

    struct lifetime *life;    /* values, keeps, gradients of the nodes, the converted input, temporaries, work of forward
                                 and of backward, factors, sums of grains, copies of forward and of backward, those of the loss, moments */
    size_t life_count;
    int *value_root;          /* the node in whose memory a node's output lies, or MODEL_INPUT */
    int *gradient_root;       /* the node in whose gradient memory a node's gradient lies */
    int *contributions;       /* while emitting: how many parts of a node's gradient were written */

    struct buffer *arena, *input, *step_words, *penalty, *statistics;
    size_t arena_elements;
    struct run *run;
    int *marks;
    bool *passed;             /* while emitting: buckets whose gate was put into the run */
    bool recording;
};

enum life_kind { LIFE_VALUE, LIFE_KEEP, LIFE_GRADIENT };

static inline struct lifetime *plan_life(const struct plan *plan, enum life_kind kind, int node)
{
    return &plan->life[(size_t)kind * plan->flat.count + (size_t)node];
}
static inline struct lifetime *plan_input_life(const struct plan *plan)
{
    return &plan->life[3 * plan->flat.count];
}
static inline struct lifetime *plan_temporary(const struct plan *plan, int node)
{
    return &plan->life[3 * plan->flat.count + 1 + (size_t)node];
}
/* What the layer's `work` asked for, in forward or backward. */
static inline struct lifetime *plan_work(const struct plan *plan, int node, bool backward)
{
    return &plan->life[(size_t)(backward ? 5 : 4) * plan->flat.count + 1 + (size_t)node];
}
static inline int plan_forward_step(int node)
{
    return node + 1;
}
static inline int plan_loss_step(const struct plan *plan)
{
    return (int)plan->flat.count + 1;
}
static inline int plan_backward_step(const struct plan *plan, int node)
{
    return 2 * (int)plan->flat.count + 1 - node;
}
static inline int plan_last_step(const struct plan *plan)
{
    return 2 * (int)plan->flat.count + 2;
}

/* Whether backward of the node is emitted. */
static inline bool plan_goes_backward(const struct plan *plan, int node)
{
    return plan->config.backward && plan->flat.items[node].needs_gradient && node <= plan->at;
}

/* What the node adds and multiplies by while storing (struct flat, affine). */
static inline struct lifetime *plan_affine(const struct plan *plan, int node)
{
    return &plan->life[6 * plan->flat.count + 1 + (size_t)node];
}

/* Sums of gradients of a node's weights, while its grains run one by one. */
static inline struct lifetime *plan_sums(const struct plan *plan, int node)
{
    return &plan->life[7 * plan->flat.count + 1 + (size_t)node];
}

/* Copies of what a node reads and makes (plan_stage.c), in forward or backward. */
static inline struct lifetime *plan_staging(const struct plan *plan, int node, bool backward)
{
    return &plan->life[(size_t)(backward ? 9 : 8) * plan->flat.count + 1 + (size_t)node];
}
static inline struct lifetime *plan_loss_staging(const struct plan *plan)
{
    return &plan->life[10 * plan->flat.count + 1];
}

/* What a node reads of moments that another one computed (plan_moments.c). */
static inline struct lifetime *plan_moments(const struct plan *plan, int node)
{
    return &plan->life[10 * plan->flat.count + 2 + (size_t)node];
}

static inline size_t plan_grains(const struct plan *plan)
{
    return (plan->config.n + plan->config.grain - 1) / plan->config.grain;
}

/* plan_grains.c: nodes whose grains run one by one, for they have sums over samples that the layer does not divide itself. */
bool strata_plan_is_cut(const struct plan *plan, int node);
size_t strata_plan_kept(const struct plan *plan, int node);  /* elements that a grain keeps */
size_t strata_plan_summed(const struct plan *plan, int node); /* elements of all sums */
size_t strata_plan_statistic_count(const struct plan *plan);
bool strata_plan_cut_forward(const struct plan *plan, int node, const struct step *whole, strata_error *err);
bool strata_plan_cut_backward(const struct plan *plan, int node, const struct step *whole, strata_error *err);

/* plan_gradients.c: which gradients of activations are computed elsewhere, and which are summed along. */
void strata_plan_place_gradients(struct plan *plan);
/* That of an activation node, from what needs_x says and dy, with what is to be summed; dx may be dy. */
bool strata_plan_activation_gradient(const struct plan *plan, int node, const struct view *value, const struct view *dy,
                                     const struct view *dx, strata_error *err);

/* That of a layer's bias, where it is known to be 0. */
bool strata_plan_bias_gradient(const struct plan *plan, const struct flat *flat, strata_error *err);

/* plan_pooling.c: which layers give what a pooling behind them would make of their output, that being kept nowhere. */
void strata_plan_place_pooling(struct plan *plan);
/* The shape of what a node's value and gradient hold. */
const struct shape *strata_plan_kept_shape(const struct plan *plan, int node);
/* For a step of such a layer: over which windows, and where the places of the maxima are kept. */
struct pooled strata_plan_pooled(const struct plan *plan, int node);

/* plan_moments.c: which layers compute moments of their output for a normalization behind them; in the steps of both. */
bool strata_plan_takes_moments(const struct flat *flat); /* and so takes the mean of its input away */
void strata_plan_place_moments(struct plan *plan);
struct moments strata_plan_moments(const struct plan *plan, int node);

/* plan_stage.c: floats that a node gets for one step in place of what is kept otherwise. */
struct staging {
    const struct lifetime *life;
    size_t used;                       /* elements of it */
    struct view y;                     /* where the node's output, or the loss's gradient, is kept */
    struct view dxs[STRATA_MAX_INPUTS]; /* where gradients of its inputs are kept */
};
size_t strata_plan_staged(const struct plan *plan, int node, bool backward); /* elements */
size_t strata_plan_staged_loss(const struct plan *plan);
/* Before a node's step, forward or backward, and after it. xs and dxs are the step's own arrays. */
bool strata_plan_stage_forward(const struct plan *plan, int node, struct staging *staging, struct step *s, struct view *xs,
                               strata_error *err);
bool strata_plan_keep_forward(const struct plan *plan, const struct staging *staging, const struct step *s, strata_error *err);
bool strata_plan_stage_backward(const struct plan *plan, int node, struct staging *staging, struct step *s, struct view *xs,
                                struct view *dxs, strata_error *err);
bool strata_plan_keep_backward(const struct plan *plan, int node, const struct staging *staging, struct view *dxs,
                               strata_error *err);
bool strata_plan_stage_loss(const struct plan *plan, struct staging *staging, struct plan_loss *loss, strata_error *err);
bool strata_plan_keep_loss(const struct plan *plan, const struct staging *staging, const struct plan_loss *loss, strata_error *err);

/* plan_memory.c: roots and lifetimes, then places. */
bool strata_plan_place(struct plan *plan, strata_error *err);
/* What backward of a node reads. */
bool strata_plan_needs_x(const struct flat *flat);
bool strata_plan_needs_y(const struct flat *flat);
struct view strata_plan_value(const struct plan *plan, int node);    /* MODEL_INPUT: the input */
struct view strata_plan_gradient(const struct plan *plan, int node); /* no buffer when nobody needs it */

/* plan_emit.c: all steps, into plan->run. */
bool strata_plan_emit(struct plan *plan, strata_error *err);

#endif
