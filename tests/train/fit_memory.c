/* What a fit would take of the device. */
#include <strata/train.h>

#include "device/program_cache.h"
#include "dist/context.h"
#include "support.h"

Test(fit_memory, is_told_without_compiling_a_kernel)
{
    strata_error err = { 0 };
    float x[4 * 36] = { 0 }, y[4] = { 0 };
    size_t bytes = 0, more = 0;
    const strata_context_config config = { 0 };
    const strata_array xs = { STRATA_FLOAT32, 4, { 4, 6, 6, 1 }, x }, ys = { STRATA_FLOAT32, 2, { 4, 1 }, y };
    strata_data *data = strata_data_from_arrays(&xs, &ys, NULL, &err);
    strata_model *model = strata_model_from_json(
        "[{\"Input\": {\"shape\": [6, 6, 1]}}, {\"Conv2D\": {\"filters\": 4, \"kernel_size\": 3}}, {\"Flatten\": {}}, "
        "{\"Dense\": {\"units\": 1}}]", &err);
    strata_context *context = strata_context_create(&config, &err);
    ok(data);
    ok(model);
    ok(context);
    ok(strata_model_compile(model, "{\"optimizer\": \"adam\", \"loss\": \"mse\"}", &err));
    ok(strata_model_fit_memory(model, context, data, 2, &bytes, &err));
    ok(strata_model_fit_memory(model, context, data, 4, &more, &err));

    const size_t weights = (9 * 4 + 4 + 64 + 1) * sizeof(float), a_sample = (36 + 64) * sizeof(float);
    cr_assert_geq(bytes, 4 * weights + 2 * a_sample, "%zu bytes", bytes); /* gradients and Adam's two moments are as large */
    cr_assert_geq(more, bytes + a_sample, "%zu after %zu bytes", more, bytes);
    const struct program_counts counts = strata_program_counts(strata_context_device_of(context));
    cr_assert_eq(counts.built + counts.loaded, 0);
    strata_context_free(context);
    strata_model_free(model);
    strata_data_free(data);
}
