/* Training on several ranks, as a program for mpirun: see tests/e2e/alike.sh.
 *
 *   test-fit-ranks masks [SHARE...]  a line for each sample of two epochs, whichever rank has it: epoch, step, place in the
 *                                    global batch, sample, what dropout let pass of it
 *   test-fit-ranks flip              the last rank's memory errs in a frozen weight in step 3
 *   test-fit-ranks stop SECONDS      a line for each time that a rank is told progress, every SECONDS; the last rank alone wants to stop
 *                                    after step 5
 *   test-fit-ranks apart             after step 3 the last rank asks the others to agree, who are in the next step */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dist/context.h"
#include "train/trainer.h"

enum { SAMPLES = 37, WIDTH = 12, BATCH = 10, EPOCHS = 2, SEED = 7 };

static strata_data *make_data(size_t count, strata_error *err)
{
    float x[SAMPLES * WIDTH], y[SAMPLES];
    for (size_t i = 0; i < count * WIDTH; i++) x[i] = 1;
    for (size_t i = 0; i < count; i++) y[i] = (float)(i % 3);
    const strata_array xs = { STRATA_FLOAT32, 2, { count, WIDTH }, x }, ys = { STRATA_FLOAT32, 1, { count }, y };
    return strata_data_from_arrays(&xs, &ys, NULL, err);
}

static bool add(strata_model *model, const char *json, strata_error *err)
{
    strata_layer *layer = strata_layer_from_json(json, err);
    return layer && strata_model_add(model, layer, err);
}

/* ---- masks ---- */

static void print_masks(const struct batch *b, const float *y)
{
    for (size_t i = 0; i < b->count; i++) {
        char mask[WIDTH + 1] = "";
        for (size_t k = 0; k < WIDTH; k++) mask[k] = y[i * WIDTH + k] > 0 ? '1' : '0';
        printf("%zu %zu %zu %u %s\n", b->epoch, b->step, b->first + i, b->sample[i], mask);
    }
}

static bool drop(const struct trainer *t, struct passes *passes, const struct batch *b, strata_error *err)
{
    float y[BATCH * WIDTH];
    struct event *uploaded = NULL;
    const struct step_numbers numbers = { .seed = SEED, .epoch = (uint32_t)b->epoch };
    if (b->count == 0) return true;
    struct pass *pass = strata_passes_get(passes, b->count, b->global_count, true, err);
    bool ok = pass && strata_pass_play(pass, b, &numbers, &uploaded, err);
    const struct view out = ok ? strata_plan_output(pass->plan) : (struct view){ 0 };
    ok = ok && strata_buffer_read(t->device, QUEUE_COMPUTE, out.buffer, out.offset * sizeof *y,
                                  b->count * WIDTH * sizeof *y, y, err);
    strata_event_free(uploaded);
    if (ok) print_masks(b, y);
    return ok;
}

static bool masks(strata_context *context, const double *shares, strata_error *err)
{
    struct trainer t = { 0 };
    strata_data *data = make_data(SAMPLES, err);
    strata_model *model = data ? strata_sequential_create("masks", err) : NULL;
    bool ok = model && add(model, "{\"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, 12]}}", err)
              && add(model, "{\"class_name\": \"Dropout\", \"config\": {\"rate\": 0.5}}", err)
              && strata_trainer_open(&t, model, context, data, true, err);
    struct passes passes = ok ? strata_trainer_passes(&t, data, NULL, false) : (struct passes){ 0 };
    const struct batches_config config = { .data = data, .global_batch = BATCH, .shuffle = true, .seed = SEED,
                                           .y_type = STRATA_FLOAT32 };
    t.share.speeds = shares;
    struct batches *batches = ok ? strata_batches_start(&config, &t.share, 0, 0, err) : NULL;
    ok = batches != NULL;
    for (size_t i = 0; ok && i < EPOCHS * strata_batches_steps(&config); i++) {
        struct batch batch;
        ok = strata_batches_next(batches, &batch, err) && drop(&t, &passes, &batch, err);
    }
    strata_batches_stop(batches);
    strata_passes_free(&passes);
    ok = strata_trainer_close(&t, ok, err);
    strata_model_free(model);
    strata_data_free(data);
    return ok;
}

/* ---- a fit ---- */

/* Of a frozen layer and a trained one, in one epoch of 250 steps. */
static strata_model *make_model(strata_error *err)
{
    strata_model *model = strata_sequential_create("fit", err);
    if (model && add(model, "{\"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, 12]}}", err)
        && add(model, "{\"class_name\": \"Dense\", \"config\": {\"units\": 3, \"trainable\": false}}", err)
        && add(model, "{\"class_name\": \"Dense\", \"config\": {\"units\": 1}}", err)
        && strata_model_build(model, &(strata_shape){ 1, { WIDTH } }, 0, err)
        && strata_model_compile(model, "{\"optimizer\": \"sgd\", \"loss\": \"mse\"}", err))
        return model;
    strata_model_free(model);
    return NULL;
}

static strata_fit_config make_config(double progress_seconds)
{
    strata_fit_config config = strata_fit_defaults();
    config.batch_size = 2;
    config.epochs = 1;
    config.steps_per_epoch = 250;
    config.progress_seconds = progress_seconds;
    config.cache_frozen = false;
    return config;
}

/* ---- flip ---- */

struct flip {
    strata_model *model;
    bool errs;
};

static bool err_in_step_3(void *context, const strata_progress *progress)
{
    const struct flip *flip = context;
    strata_error err = { 0 };
    float bias[3] = { 0 };
    if (!flip->errs || progress->step != 3) return true;
    bias[1] = 1e-30f;
    return strata_model_set_weight(flip->model, 1, bias, 3, &err);
}

static bool flip(strata_context *context, strata_error *err)
{
    strata_data *data = make_data(2, err);
    strata_model *model = data ? make_model(err) : NULL;
    struct flip flip = { model, strata_context_rank(context) == strata_context_size(context) - 1 };
    strata_fit_config config = make_config(0);
    config.progress = err_in_step_3;
    config.progress_context = &flip;
    const bool ok = model && strata_model_fit(model, context, data, &config, NULL, err);
    strata_model_free(model);
    strata_data_free(data);
    return ok;
}

/* ---- stop, apart ---- */

static bool tell(void *context, const strata_progress *progress)
{
    const int rank = strata_context_rank(context);
    printf("%d: step %zu, %.17g s\n", rank, progress->step, progress->seconds);
    return rank + 1 != strata_context_size(context) || progress->step < 5;
}

static bool leave(void *context, const strata_progress *progress)
{
    strata_error err = { 0 };
    const bool leaves = strata_context_rank(context) + 1 == strata_context_size(context) && progress->step == 3;
    return !leaves || strata_context_agree(context, true, &err);
}

static bool fit(strata_context *context, double seconds, bool (*progress)(void *context, const strata_progress *progress), strata_error *err)
{
    strata_data *data = make_data(2, err);
    strata_model *model = data ? make_model(err) : NULL;
    strata_fit_config config = make_config(seconds);
    config.progress = progress;
    config.progress_context = context;
    config.watch_report = 1;
    config.watch_stop = 3;
    const bool ok = model && strata_model_fit(model, context, data, &config, NULL, err);
    strata_model_free(model);
    strata_data_free(data);
    return ok;
}

int main(int argc, char **argv)
{
    strata_error err = { 0 };
    double shares[16] = { 0 };
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 2; i < argc && i < 18; i++) shares[i - 2] = atof(argv[i]);
    strata_context *context = strata_context_create(NULL, &err);
    const char *what = argc > 1 ? argv[1] : "";
    const bool ok = context && (strcmp(what, "flip") == 0 ? flip(context, &err)
                                : strcmp(what, "stop") == 0 ? fit(context, shares[0], tell, &err)
                                : strcmp(what, "apart") == 0 ? fit(context, 0, leave, &err)
                                                            : masks(context, argc > 2 ? shares : NULL, &err));
    if (!ok && strata_launch_rank() == 0) fprintf(stderr, "%s\n", err.message);
    strata_context_free(context);
    return ok ? 0 : strata_exit_code(err.code);
}
