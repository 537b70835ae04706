/* Writing Keras's files by the end of their names. */
#include "files/save.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "files/npz.h"
#include "files/zip.h"
#include "model/model.h"

/* Bytes that go into a file. */
struct bytes {
    void *data;
    size_t size;
};

static bool ends(const char *path, const char *end)
{
    const size_t length = strlen(path), tail = strlen(end);
    return length >= tail && strcmp(path + length - tail, end) == 0;
}

/* ---- HDF5 ---- */

enum content { CONTENT_MODEL, CONTENT_LEGACY_WEIGHTS, CONTENT_STORE };

static bool make_h5(const strata_model *model, const char *what, enum content content, strata_flavour flavour,
                    const struct saved_training *training, struct bytes *out, strata_error *err)
{
    struct h5 *file = strata_h5_create(what, err);
    if (!file) return false;
    const bool put = content == CONTENT_MODEL ? strata_legacy_put_model(file, model, flavour, training, err)
                     : content == CONTENT_LEGACY_WEIGHTS
                         ? strata_legacy_put_weights(file, "", model, flavour, err)
                         : strata_store_put(file, model, training, true, err);
    const bool ok = put && strata_h5_image(file, false, &out->data, &out->size, err);
    strata_h5_close(file);
    return ok;
}

/* ---- .keras ---- */

static bool text_of(const json_t *json, struct bytes *out, strata_error *err)
{
    out->data = json ? strata_json_text(json, false, err) : NULL;
    out->size = out->data ? strlen(out->data) : 0;
    return out->data != NULL;
}

static bool make_metadata(struct bytes *out, strata_error *err)
{
    char date[64] = "";
    const time_t now = time(NULL);
    struct tm local;
    if (localtime_r(&now, &local)) strftime(date, sizeof date, "%Y-%m-%d@%H:%M:%S", &local);
    json_t *json = json_pack("{s:s, s:s}", "keras_version", STRATA_KERAS3_VERSION, "date_saved", date);
    const bool ok = text_of(json, out, err);
    json_decref(json);
    return ok;
}

static bool make_config(const strata_model *model, const struct saved_training *training, struct bytes *out,
                        strata_error *err)
{
    json_t *json = strata_model_write(model, STRATA_KERAS3, err);
    if (json && training && training->compile_config)
        json_object_set(json, "compile_config", training->compile_config);
    const bool ok = text_of(json, out, err);
    json_decref(json);
    return ok;
}

static bool put(struct zip_writer *zip, const char *name, const struct bytes *bytes, strata_error *err)
{
    return strata_zip_put(zip, name, bytes->data, bytes->size, err);
}

/* The entries of a .keras, in its order. */
struct keras_parts {
    char *path;
    struct bytes metadata, config, weights, strata; /* strata: of a checkpoint, else empty */
    uint32_t checksum;                              /* of the weights */
    struct store_places places;                     /* in weights; of parts that are written again */
};

static void free_texts(struct keras_parts *parts)
{
    free(parts->path);
    free(parts->metadata.data);
    free(parts->config.data);
    free(parts->strata.data);
    parts->path = NULL;
    parts->metadata = parts->config = parts->strata = (struct bytes){ 0 };
}

bool strata_keras_parts_describe(struct keras_parts *parts, const strata_model *model, const char *path,
                                 const struct saved_training *training, strata_error *err)
{
    free_texts(parts);
    return (parts->path = strata_copy_text(path, err)) && make_metadata(&parts->metadata, err)
           && make_config(model, training, &parts->config, err)
           && (!training || !training->strata || text_of(training->strata, &parts->strata, err));
}

static void release(struct keras_parts *parts)
{
    free_texts(parts);
    free(parts->weights.data);
    strata_store_places_release(&parts->places);
}

void strata_keras_parts_free(struct keras_parts *parts)
{
    if (!parts) return;
    release(parts);
    free(parts);
}

struct keras_parts *strata_keras_parts(const strata_model *model, const char *what, const struct saved_training *training,
                                       strata_error *err)
{
    struct keras_parts *parts = strata_alloc(1, sizeof *parts, err);
    struct h5 *file = parts ? strata_h5_create(what, err) : NULL;
    const bool ok = file && strata_store_put(file, model, training, false, err)
                    && strata_h5_image(file, true, &parts->weights.data, &parts->weights.size, err)
                    && strata_store_locate(file, model, training, parts->weights.size, &parts->places, err);
    strata_h5_close(file);
    if (ok) return parts;
    strata_keras_parts_free(parts);
    return NULL;
}

static struct store_image image_of(const struct keras_parts *parts)
{
    return (struct store_image){ parts->weights.data, parts->weights.size, &parts->places };
}

float *strata_keras_parts_variable(struct keras_parts *parts, size_t variable)
{
    const struct store_image image = image_of(parts);
    return strata_image_variable(&image, variable);
}

bool strata_keras_parts_read_moving(struct keras_parts *parts, const strata_model *model, const struct saved_training *training,
                                    strata_error *err)
{
    const struct store_image image = image_of(parts);
    return strata_image_read(&image, model, true, err) && strata_image_put_variables(&image, training, err);
}

bool strata_keras_parts_read_updated(struct keras_parts *parts, const strata_model *model, strata_error *err)
{
    const struct store_image image = image_of(parts);
    return strata_image_read(&image, model, false, err);
}

void strata_keras_parts_finish(struct keras_parts *parts, char odd[STRATA_ODD_NAME])
{
    const struct store_image image = image_of(parts);
    strata_image_finish(&image, odd, &parts->checksum);
}

static bool write_entries(const struct keras_parts *parts, const char *path, bool with_strata, strata_error *err)
{
    struct zip_writer *zip = strata_zip_create(path, err);
    const bool ok = zip && put(zip, "metadata.json", &parts->metadata, err) && put(zip, "config.json", &parts->config, err)
                    && strata_zip_put_known(zip, "model.weights.h5", parts->weights.data, parts->weights.size, parts->checksum, err)
                    && (!with_strata || put(zip, "strata.json", &parts->strata, err)) && strata_zip_commit(zip, err);
    strata_zip_free(zip);
    return ok;
}

bool strata_keras_parts_write(const struct keras_parts *parts, strata_error *err)
{
    return write_entries(parts, parts->path, parts->strata.data != NULL, err);
}

bool strata_keras_parts_write_model(const struct keras_parts *parts, const char *path, strata_error *err)
{
    return write_entries(parts, path, false, err);
}

static bool write_keras(const strata_model *model, const char *path, const struct saved_training *training, strata_error *err)
{
    struct keras_parts parts = { 0 };
    bool ok = strata_keras_parts_describe(&parts, model, path, training, err)
              && make_h5(model, path, CONTENT_STORE, STRATA_FLAVOUR_KERAS3, training, &parts.weights, err);
    if (ok) parts.checksum = strata_zip_checksum(0, parts.weights.data, parts.weights.size);
    ok = ok && strata_keras_parts_write(&parts, err);
    release(&parts);
    return ok;
}

/* ---- by name ---- */

/* A file that is one of HDF5 alone. */
static bool make(const strata_model *model, const char *path, strata_flavour flavour,
                 const struct saved_training *training, struct bytes *out, strata_error *err)
{
    if (ends(path, ".weights.h5"))
        return make_h5(model, path, CONTENT_STORE, STRATA_FLAVOUR_KERAS3, training, out, err);
    if (ends(path, "_weights.h5"))
        return make_h5(model, path, CONTENT_LEGACY_WEIGHTS, STRATA_FLAVOUR_KERAS2, NULL, out, err);
    if (ends(path, ".h5") || ends(path, ".hdf5"))
        return make_h5(model, path, CONTENT_MODEL, flavour, training, out, err);
    return strata_fail(err, STRATA_EVALUE,
                       "%s: the name must end in .keras, .h5, .hdf5, .weights.h5, .npz or .json", path);
}

static bool write_json(const strata_model *model, const char *path, strata_flavour flavour, strata_error *err)
{
    char *text = strata_model_to_json(model, flavour, err);
    const bool ok = text && strata_file_replace(path, text, strlen(text), err);
    free(text);
    return ok;
}

bool strata_archive_save(strata_model *model, const char *path, strata_flavour flavour,
                         const struct saved_training *training, strata_error *err)
{
    struct bytes out = { 0 };
    if (ends(path, ".json")) return write_json(model, path, flavour, err);
    if (!strata_model_built(model))
        return strata_fail(err, STRATA_EVALUE,
                           "%s: the model has no weights yet: build it, or save its config alone as .json",
                           path);
    if (ends(path, ".keras")) return write_keras(model, path, training, err);
    if (ends(path, ".npz")) return strata_npz_write(model, path, err);
    const bool ok =
        make(model, path, flavour, training, &out, err) && strata_file_replace(path, out.data, out.size, err);
    free(out.data);
    return ok;
}

/* The training state of a compiled model, from what training hung on it. */
static bool collect(strata_model *model, struct saved_training *training, strata_error *err)
{
    const struct training_state *state = strata_model_training(model);
    return !state || state->collect(model, training, err);
}

bool strata_model_save(strata_model *model, const char *path, const strata_save_options *options,
                       strata_error *err)
{
    struct saved_training training = { 0 };
    const strata_flavour flavour = options ? options->flavour : STRATA_FLAVOUR_KERAS3;
    const bool ok =
        collect(model, &training, err) && strata_archive_save(model, path, flavour, &training, err);
    strata_saved_training_release(&training);
    return ok;
}
