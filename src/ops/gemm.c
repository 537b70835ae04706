#include "ops/gemm.h"

#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "ops/request.h"

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

const struct gemm_implementation *strata_gemm_named(const char *name)
{
    for (int i = 0; strata_gemm_implementations[i]; i++)
        if (strcmp(strata_gemm_implementations[i]->name, name) == 0) return strata_gemm_implementations[i];
    return NULL;
}

const struct gemm_implementation *strata_gemm_default(struct device *device, const struct gemm *gemm)
{
    for (int i = 0; strata_gemm_implementations[i]; i++)
        if (strata_gemm_implementations[i]->suits(device, gemm)) return strata_gemm_implementations[i];
    return NULL;
}

/* The forced one, else what was measured to be the fastest, else the first that suits. */
static const struct gemm_implementation *choose(struct device *device, const struct request *request, bool *tuned,
                                                strata_error *err)
{
    char name[STRATA_IMPLEMENTATION_NAME];
    const enum wanted wanted = strata_request_wanted(request, device, "gemm", name);
    const struct gemm_implementation *named = wanted == WANTED_NONE ? NULL : strata_gemm_named(name);
    if (wanted == WANTED_FORCED && !named) unknown(name, err);
    if (wanted == WANTED_FORCED) return named;
    *tuned = named && named->can(device, &request->gemm);
    if (*tuned) return named;
    named = strata_gemm_default(device, &request->gemm);
    if (!named)
        strata_fail(err, STRATA_EBUG, "no implementation of gemm suits (%zu, %zu, %zu)", request->gemm.m, request->gemm.n,
                    request->gemm.k);
    return named;
}

bool strata_op_gemm_grains(struct device *device)
{
    static const struct gemm none;
    char name[STRATA_IMPLEMENTATION_NAME];
    const bool forced = strata_env_impl("gemm", name, sizeof name);
    const struct gemm_implementation *implementation = forced ? strata_gemm_named(name) : strata_gemm_default(device, &none);
    return implementation && implementation->grains;
}

bool strata_op_gemm(struct run *run, const struct gemm *gemm, strata_error *err)
{
    const struct request request = { .kind = REQUEST_GEMM, .untuned = strata_run_untuned(run), .gemm = *gemm };
    bool tuned = false;
    strata_run_tell(run, &request);
    const struct gemm_implementation *implementation = choose(strata_run_device(run), &request, &tuned, err);
    if (!implementation) return false;
    strata_run_work(run, strata_request_work(&request, implementation->name, tuned));
    const bool ok = implementation->run(run, gemm, err);
    strata_run_work(run, (struct work){ 0 });
    return ok;
}
