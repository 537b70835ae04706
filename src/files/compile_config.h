/* How a model was compiled, as the formats write it. Inside Strata it is Keras 3's get_compile_config():
 * {"optimizer": {"module", "class_name", "config", "registered_name"}, "loss": .., "metrics": [..], ...}. */
#ifndef STRATA_FILES_COMPILE_CONFIG_H
#define STRATA_FILES_COMPILE_CONFIG_H

#include <strata/model.h>

#include "base/json.h"

/* From the training_config of an .h5 of any Keras, or the compile_config of Keras 2's .keras. NULL: out of memory, or
 * not an object. */
json_t *strata_compile_config_read(const json_t *json, const char *what, strata_error *err);

/* The training_config of an .h5. STRATA_EVALUE when that Keras has no place for an argument that says something. */
json_t *strata_training_config_write(const json_t *compile_config, strata_flavour flavour, strata_error *err);

/* "adam": what Keras names the optimizer's variables after. */
const char *strata_optimizer_name(const json_t *compile_config);
/* That of the optimizer inside a LossScaleOptimizer, whose variables follow four of that one's; NULL: it is none. */
const char *strata_inner_optimizer_name(const json_t *compile_config);
enum { STRATA_OUTER_VARIABLES = 4 };
/* "Adam", of what updates the weights; "" when unknown. */
const char *strata_optimizer_class(const json_t *compile_config);
/* Whether the learning rate is a plain number, which is then a variable in Keras 3; *rate may be NULL. */
bool strata_constant_rate(const json_t *compile_config, float *rate);

#endif
