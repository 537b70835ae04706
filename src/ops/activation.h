/* Activation functions and their gradients.
 * Source: Keras 3 keras/src/activations on TensorFlow, its gradients at the knots too. */
#ifndef STRATA_OPS_ACTIVATION_H
#define STRATA_OPS_ACTIVATION_H

#include "base/fields.h"
#include "ops/view.h"

/* The number a kernel gets as -DACTIVATION; cl/activation.h defines them alike. */
enum activation_kind {
    ACTIVATION_LINEAR, ACTIVATION_RELU, ACTIVATION_RELU6, ACTIVATION_TANH, ACTIVATION_SIGMOID, ACTIVATION_LEAKY_RELU,
    ACTIVATION_ELU, ACTIVATION_SELU, ACTIVATION_EXPONENTIAL, ACTIVATION_SOFTPLUS, ACTIVATION_SOFTSIGN,
    ACTIVATION_HARD_SIGMOID, ACTIVATION_HARD_SIGMOID_KERAS2,
    /* from here on not fused into GEMM and convolution */
    ACTIVATION_SILU, ACTIVATION_HARD_SILU, ACTIVATION_GELU, ACTIVATION_GELU_APPROXIMATE, ACTIVATION_MISH,
    ACTIVATION_CELU, ACTIVATION_SQUAREPLUS, ACTIVATION_SOFT_SHRINK, ACTIVATION_HARD_SHRINK, ACTIVATION_TANH_SHRINK,
    ACTIVATION_HARD_TANH, ACTIVATION_SPARSE_PLUS, ACTIVATION_SPARSE_SIGMOID, ACTIVATION_LOG_SIGMOID,
    ACTIVATION_SOFTMAX, ACTIVATION_LOG_SOFTMAX, ACTIVATION_SPARSEMAX,
    ACTIVATION_KINDS
};

struct activation {
    const char *name;        /* as Keras 3 writes it */
    const char *const *aliases; /* other spellings that are read; NULL-terminated or NULL */
    enum activation_kind kind;
    bool needs_x;            /* the gradient is computed from x, else from y */
    bool elementwise;        /* not softmax, log_softmax and sparsemax, which work along the last axis */
    bool fusable;            /* GEMM and convolution can apply it as they store */
    bool only_keras3;        /* Keras 2 has no such name */
};

/* The table entry of a kind, or of a name in a flavour ("hard_sigmoid" differs); NULL when there is none. */
const struct activation *strata_activation(enum activation_kind kind);
const struct activation *strata_activation_find(const char *name, enum flavour flavour);

/* Hooks of a FIELD_CUSTOM field whose member is an `int` holding an enum activation_kind: null and "linear" are
 * linear; strings and Keras's object form are read; an unknown name is an error with the nearest. Writing one under a
 * name that the flavour lacks, or has for another function, is an error. */
bool strata_activation_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                             strata_error *err);
bool strata_activation_writable(const struct field *field, const void *at, enum flavour flavour, strata_error *err);
json_t *strata_activation_write(const struct field *field, const void *at, enum flavour flavour);

/* Elementwise kinds heed how tensors are kept, which is alike. y = f(x). x and y may be the same. dx = dy * f'(x); `value` is x or y as needs_x says; dx may be dy. */
bool strata_op_activation(struct run *run, enum activation_kind kind, const struct view *x, const struct view *y,
                          strata_error *err);
bool strata_op_activation_gradient(struct run *run, enum activation_kind kind, const struct view *value,
                                   const struct view *dy, const struct view *dx, strata_error *err);

/* The same of an elementwise kind, and sums (columns) = the sum over the rows of dx (rows, columns), of which `each` are a grain, as
 * strata_op_sum_grains adds them: the gradient of a bias that was added to x. */
bool strata_op_activation_gradient_sums(struct run *run, enum activation_kind kind, const struct view *value, const struct view *dy,
                                        const struct view *dx, size_t each, const struct view *sums, strata_error *err);

#endif
