/* What the random layers share. None keeps anything: backward draws the same numbers again. */
#ifndef STRATA_LAYERS_NOISE_COMMON_H
#define STRATA_LAYERS_NOISE_COMMON_H

#include "layers/fields_common.h"
#include "ops/noise.h"

/* A class's field table fills the members that it has keys for. */
struct noise_config {
    double rate;              /* or stddev */
    long seed;                /* STRATA_NO_INT: none */
    struct ints noise_shape;  /* -1 stands for null; count 0: the input's shape */
    int data_format;
};

#define STRATA_NOISE_FIELD_RATE                                                                                      \
    {                                                                                                                \
        "rate", FIELD_FLOAT, offsetof(struct noise_config, rate), .required = true, .min = 0, .max = 1,             \
                .help = "the part that is dropped"                                                                  \
    }
#define STRATA_NOISE_FIELD_SEED                                                                                      \
    {                                                                                                                \
        "seed", FIELD_INT, offsetof(struct noise_config, seed), .nullable = true, .null_default = true,             \
                .help = "mixed into the seed of the run"                                                             \
    }
#define STRATA_NOISE_FIELD_SHAPE                                                                                     \
    {                                                                                                                \
        "noise_shape", FIELD_CUSTOM, offsetof(struct noise_config, noise_shape), .text = "null",                    \
                       .parse = strata_noise_shape_parse, .write = strata_noise_shape_write,                        \
                       .help = "1 where the noise is the same along an axis, null or its extent elsewhere"          \
    }

bool strata_noise_shape_parse(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                              strata_error *err);
json_t *strata_noise_shape_write(const struct field *field, const void *at, enum flavour flavour);

/* Fails unless the noise_shape fits the input; keeps the shape. */
bool strata_noise_shape_keep(const void *config, const struct shape *in, struct shape *out, strata_error *err);

/* Refuses a rate of 1, where the noise would be infinite. */
bool strata_noise_check_rate(void *config, enum flavour flavour, strata_error *err);

/* A bit for every axis (batch counted) along which the noise_shape repeats. */
unsigned strata_noise_repeats(const struct noise_config *c);

bool strata_noise_forward(const struct noise_config *c, enum noise_kind kind, unsigned repeats, const struct step *s,
                          strata_error *err);
bool strata_noise_backward(const struct noise_config *c, enum noise_kind kind, unsigned repeats, const struct step *s,
                           strata_error *err);

#endif
