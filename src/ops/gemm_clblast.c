/* The matrix product by CLBlast, which serves everywhere; bias and activation follow in a pass of their own. */
#include <clblast_c.h>
#include <stdio.h>

#include "device/native.h"
#include "ops/clblast.h"
#include "ops/implementations.h"
#include "ops/map.h"

static bool suits(struct device *device, const struct gemm *gemm)
{
    (void)device;
    (void)gemm;
    return true;
}

static bool call(const void *context, void *queue, strata_error *err)
{
    const struct gemm *g = context;
    cl_command_queue commands = queue;
    const CLBlastTranspose a = g->transpose_a ? CLBlastTransposeYes : CLBlastTransposeNo;
    const CLBlastTranspose b = g->transpose_b ? CLBlastTransposeYes : CLBlastTransposeNo;
    const CLBlastStatusCode status = CLBlastSgemm(
        CLBlastLayoutRowMajor, a, b, g->m, g->n, g->k, 1.0f, strata_buffer_native(g->a.buffer), g->a.offset,
        g->transpose_a ? g->m : g->k, strata_buffer_native(g->b.buffer), g->b.offset, g->transpose_b ? g->k : g->n,
        g->accumulate ? 1.0f : 0.0f, strata_buffer_native(g->c.buffer), g->c.offset, g->n, &commands, NULL);
    return status == CLBlastSuccess
        || strata_fail_native(err, STRATA_EDEVICE, status, "CLBlastSgemm of (%zu, %zu, %zu) failed with status %d", g->m, g->n,
                              g->k, status);
}

static bool epilogue(struct run *run, const struct gemm *gemm, strata_error *err)
{
    char options[64];
    const struct tail tail = strata_gemm_tail(gemm);
    const struct arg args[] = { arg_view(&tail.bias), arg_view(&gemm->c), arg_ulong(tail.factor), arg_ulong(gemm->n), { 0 } };
    if (!tail.bias.buffer && tail.activation == ACTIVATION_LINEAR)
        return true;
    snprintf(options, sizeof options, "-DACTIVATION=%d -DBIAS=%d", (int)tail.activation, strata_tail_bias(&tail));
    return strata_op_map(run, "epilogue:apply", options, args, gemm->m * gemm->n, err);
}

static bool run_gemm(struct run *run, const struct gemm *gemm, strata_error *err)
{
    return strata_clblast_prepare(strata_run_device(run), err)
        && strata_run_call(run, call, gemm, sizeof *gemm, err) && epilogue(run, gemm, err);
}

const struct gemm_implementation strata_gemm_clblast = { .name = "clblast", .can = suits, .suits = suits, .run = run_gemm };
