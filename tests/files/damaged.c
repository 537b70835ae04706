/* Files of models damaged in every way: an error or a model, never a crash, a hang or memory out of proportion. */
#include "damage.h"
#include "files/archive.h"
#include "files/golden.h"

TestSuite(damaged, .init = own_folder, .timeout = 600);

static void try_file(const char *path, void *model)
{
    strata_error err = { 0 };
    struct saved_training training;
    strata_model *loaded = strata_archive_load(path, &training, &err);
    if (!loaded && err.message[0] == '\0') _exit(2); /* an error without words */
    strata_saved_training_release(&training);
    strata_model_free(loaded);
    err = (strata_error){ 0 };
    if (!strata_model_load_weights(model, path, NULL, NULL, &err) && err.message[0] == '\0') _exit(2);
}

/* Of the model in digits_mlp_keras3.keras: a file of the golden ones, or one that is written here in that form. */
static void damage(const char *file, bool golden)
{
    char path[1024], name[64];
    strata_error err = { 0 };
    strata_model *model = strata_model_load(golden_path("digits_mlp_keras3.keras", path), &err);
    cr_assert_not_null(model, "%s", err.message);
    if (!golden) cr_assert(strata_model_save(model, file, NULL, &err), "%s", err.message);
    snprintf(name, sizeof name, "variant%s", strrchr(file, '.'));
    try_variants(golden ? golden_path(file, path) : file, name, try_file, model);
    strata_model_free(model);
}

Test(damaged, h5_of_keras_2_is_refused_or_read)
{
    damage("digits_mlp_keras2.h5", true);
}

Test(damaged, h5_of_keras_3_is_refused_or_read)
{
    damage("digits_mlp_keras3.h5", true);
}

Test(damaged, weights_of_keras_2_are_refused_or_read)
{
    damage("digits_mlp_keras2_weights.h5", true);
}

Test(damaged, weights_of_keras_3_are_refused_or_read)
{
    damage("digits_mlp_keras3.weights.h5", true);
}

Test(damaged, archives_of_keras_3_are_refused_or_read)
{
    damage("digits_mlp_keras3.keras", true);
}

Test(damaged, archives_of_keras_2_are_refused_or_read)
{
    damage("digits_mlp_keras2.keras", true);
}

Test(damaged, npz_of_weights_are_refused_or_read)
{
    damage("whole.npz", false);
}

Test(damaged, json_of_layers_is_refused_or_read)
{
    damage("whole.json", false);
}
