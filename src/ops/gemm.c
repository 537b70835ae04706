#include "ops/gemm.h"

#include <stdio.h>
#include <string.h>

#include "base/env.h"

static bool unknown(const char *name, strata_error *err)
{
    char list[400] = "";
    size_t used = 0;
    for (int i = 0; strata_gemm_implementations[i] && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                                 strata_gemm_implementations[i]->name);
    return strata_fail(err, STRATA_EVALUE, "STRATA_IMPL: gemm has no implementation \"%s\"; there are %s",
                       name, list);
}

/* The forced one, else the first that suits. */
static const struct gemm_implementation *choose(struct device *device, const struct gemm *gemm,
                                                strata_error *err)
{
    char name[64];
    const bool forced = strata_env_impl("gemm", name, sizeof name);
    for (int i = 0; strata_gemm_implementations[i]; i++) {
        const struct gemm_implementation *implementation = strata_gemm_implementations[i];
        if (forced ? strcmp(implementation->name, name) == 0 : implementation->suits(device, gemm))
            return implementation;
    }
    if (forced)
        unknown(name, err);
    else
        strata_fail(err, STRATA_EBUG, "no implementation of gemm suits (%zu, %zu, %zu)", gemm->m, gemm->n,
                    gemm->k);
    return NULL;
}

bool strata_op_gemm(struct run *run, const struct gemm *gemm, strata_error *err)
{
    const struct gemm_implementation *implementation = choose(strata_run_device(run), gemm, err);
    if (!implementation) return false;
    strata_run_work(run, (struct work){ gemm->accumulate ? "gemm, added" : "gemm", implementation->name,
                                        2.0 * (double)gemm->m * (double)gemm->n * (double)gemm->k,
                                        sizeof(float) * ((double)gemm->m * (double)gemm->k + (double)gemm->k * (double)gemm->n
                                                         + (double)gemm->m * (double)gemm->n) });
    const bool ok = implementation->run(run, gemm, err);
    strata_run_work(run, (struct work){ 0 });
    return ok;
}
