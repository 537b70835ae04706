/* Matrix products. */
#ifndef STRATA_OPS_GEMM_H
#define STRATA_OPS_GEMM_H

#include "ops/tail.h"

/* C (m, n) = f(op(A) (m, k) * op(B) (k, n) * factor (n) + bias (n)), or C += op(A) op(B) when accumulate, then without the tail.
 * Matrices are row-major without gaps: A is (m, k), or (k, m) when transpose_a; B is (k, n), or (n, k) when
 * transpose_b. Views give place only; their shapes are not looked at. C overlaps neither A nor B. */
struct gemm {
    size_t m, n, k;
    bool transpose_a, transpose_b, accumulate;
    size_t grain; /* with transpose_a alone: so many of k are a grain, as in strata_op_sum_grains; 0: k is summed as one */
    struct view a, b, c;
    struct tail tail;
};

/* What becomes of the sums before they are stored: nothing where they are added to C. */
static inline struct tail strata_gemm_tail(const struct gemm *gemm)
{
    return gemm->accumulate ? (struct tail){ .activation = ACTIVATION_LINEAR } : gemm->tail;
}

struct gemm_implementation {
    const char *name; /* for STRATA_IMPL=gemm=name */
    bool grains;      /* serves a `grain`, and what it makes of a row does not depend on how many there are */
    bool (*can)(struct device *device, const struct gemm *gemm);   /* whether it is for such devices, and serves this shape */
    bool (*suits)(struct device *device, const struct gemm *gemm); /* whether it is also the choice where nothing was measured */
    bool (*run)(struct run *run, const struct gemm *gemm, strata_error *err);
};

/* In order of preference; the first that suits serves. Ends in NULL. The last one suits everything. */
extern const struct gemm_implementation *const strata_gemm_implementations[];

/* By name, or the first that suits; NULL: there is none. */
const struct gemm_implementation *strata_gemm_named(const char *name);
const struct gemm_implementation *strata_gemm_default(struct device *device, const struct gemm *gemm);

/* Whether the implementation for this device where nothing was measured, or the forced one, is one with grains. */
bool strata_op_gemm_grains(struct device *device);

bool strata_op_gemm(struct run *run, const struct gemm *gemm, strata_error *err);

#endif
