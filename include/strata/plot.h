/* Pictures, as SVG. */
#ifndef STRATA_PLOT_H
#define STRATA_PLOT_H

#include <strata/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One number an epoch; NAN where there is none. */
typedef struct strata_curve {
    const char *name;
    const double *values;
    size_t count;
} strata_curve;

/* A panel for each quantity, in which NAME and val_NAME share the axes. free() it. */
STRATA_API STRATA_CHECKED char *strata_curves_svg(const char *title, const strata_curve *curves, size_t count,
                                                  strata_error *err);

/* A box a layer with its class, output shape and parameters, arrows from inputs to outputs. free() it. */
STRATA_API STRATA_CHECKED char *strata_model_svg(const strata_model *model, strata_error *err);

#ifdef __cplusplus
}
#endif
#endif
