/* What an op makes of weights alone, such as another order of theirs: where they are constant, once. */
#ifndef STRATA_OPS_CONSTANT_H
#define STRATA_OPS_CONSTANT_H

#include "ops/view.h"

/* Whether what is made of it stays. */
bool strata_op_stays(const struct run *run, const struct view *of);

/* Memory for it, which stays or is scratch; the launches that follow, until strata_op_made, make it. */
bool strata_op_make(struct run *run, const struct view *of, size_t bytes, struct buffer **made, strata_error *err);
void strata_op_made(struct run *run);

#endif
