#include "ops/constant.h"

bool strata_op_stays(const struct run *run, const struct view *of)
{
    return of->constant && strata_run_keeps(run);
}

bool strata_op_make(struct run *run, const struct view *of, size_t bytes, struct buffer **made, strata_error *err)
{
    const bool stays = strata_op_stays(run, of);
    strata_run_once(run, stays);
    return stays ? strata_run_keep(run, bytes, made, err) : strata_run_scratch(run, bytes, made, err);
}

void strata_op_made(struct run *run)
{
    strata_run_once(run, false);
}
