/* Opening Keras's files: whole models, and weights into a model. What a file is, its first bytes say and not its name. */
#include "files/archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/memory.h"
#include "files/compile_config.h"
#include "files/load.h"
#include "files/run_folder.h"
#include "files/save.h"
#include "files/zip.h"
#include "model/model.h"

enum kind { KIND_OTHER, KIND_ZIP, KIND_HDF5, KIND_JSON };

static enum kind kind_of(const unsigned char *start, size_t size)
{
    size_t blank = 0;
    if (size >= 4 && memcmp(start, "PK\x03\x04", 4) == 0) return KIND_ZIP;
    if (size >= 8 && memcmp(start, "\x89HDF\r\n\x1a\n", 8) == 0) return KIND_HDF5;
    while (blank < size && strchr(" \t\r\n", start[blank]) && start[blank] != '\0') blank++;
    return blank < size && (start[blank] == '{' || start[blank] == '[') ? KIND_JSON : KIND_OTHER;
}

static bool find_kind(const char *path, enum kind *kind, strata_error *err)
{
    unsigned char start[64];
    FILE *file = strata_file_fault() ? NULL : fopen(path, "rb");
    if (!file)
        return strata_fail_native(err, STRATA_EFILE, errno, "%s: cannot be opened: %s", path,
                                  strerror(errno));
    const size_t size = fread(start, 1, sizeof start, file);
    const bool failed = ferror(file);
    fclose(file);
    *kind = kind_of(start, size);
    if (failed || *kind == KIND_OTHER)
        return strata_fail(err, STRATA_EFILE,
                           "%s: not a file of Keras: neither HDF5 (.h5), nor a zip (.keras, .npz), nor JSON",
                           path);
    return true;
}

/* ---- whole models ---- */

/* Weights into a new model, which is freed when they do not fit it. */
static strata_model *with_weights(strata_model *model, const struct h5 *file, strata_error *err)
{
    if (!model || strata_load_h5(model, file, NULL, NULL, err)) return model;
    strata_model_free(model);
    return NULL;
}

static strata_model *load_h5_model(const struct h5 *file, struct saved_training *training, strata_error *err)
{
    char *config = NULL;
    if (!strata_h5_text(file, "", "model_config", &config, err)) return NULL;
    if (!config) {
        strata_fail(err, STRATA_EFILE,
                    "%s: it has no model (model_config), at most weights: load them into a model",
                    strata_h5_what(file));
        return NULL;
    }
    json_t *json = strata_json_parse(config, strlen(config), "model_config", err);
    free(config);
    strata_model *model = json ? strata_model_from_parsed(json, err) : NULL;
    json_decref(json);
    if (model && strata_legacy_group(file)) model = with_weights(model, file, err);
    if (model && training && !strata_legacy_read_training(file, training, err)) {
        strata_model_free(model);
        model = NULL;
    }
    return model;
}

static strata_model *load_h5(const char *path, struct saved_training *training, strata_error *err)
{
    struct h5 *file = strata_h5_open(path, err);
    strata_model *model = file ? load_h5_model(file, training, err) : NULL;
    if (file && !model && strncmp(err->message, path, strlen(path)) != 0) strata_fail_in(err, "%s", path);
    strata_h5_close(file);
    return model;
}

static strata_model *load_json(const char *path, strata_error *err)
{
    json_t *json = strata_json_read(path, err);
    strata_model *model = json ? strata_model_from_parsed(json, err) : NULL;
    if (json && !model) strata_fail_in(err, "%s", path);
    json_decref(json);
    return model;
}

/* ---- .keras ---- */

static json_t *read_json(const struct archive *zip, const char *name, strata_error *err)
{
    void *bytes;
    size_t size;
    if (!strata_zip_read(zip, name, &bytes, &size, err)) return NULL;
    json_t *json = strata_json_parse(bytes, size, name, err);
    free(bytes);
    return json;
}

static bool is_keras2(const struct archive *zip, bool *keras2, strata_error *err)
{
    *keras2 = false;
    if (!strata_zip_has(zip, "metadata.json")) return true;
    json_t *json = read_json(zip, "metadata.json", err);
    if (!json) return false;
    const char *version = json_string_value(json_object_get(json, "keras_version"));
    *keras2 = version && version[0] == '2';
    json_decref(json);
    return true;
}

static bool read_compile_config(const json_t *config, const char *path, struct saved_training *training,
                                strata_error *err)
{
    const json_t *compile = json_object_get(config, "compile_config");
    if (!json_is_object(compile) || json_object_size(compile) == 0) return true;
    training->compile_config = strata_compile_config_read(compile, path, err);
    return training->compile_config != NULL;
}

static bool read_strata(const struct archive *zip, struct saved_training *training, strata_error *err)
{
    return !strata_zip_has(zip, "strata.json")
           || (training->strata = read_json(zip, "strata.json", err)) != NULL;
}

/* Opens the HDF5 image in a .keras; *bytes is to be freed after the file was closed. */
static struct h5 *open_weights(const struct archive *zip, const char *path, void **bytes, strata_error *err)
{
    size_t size;
    char what[512];
    snprintf(what, sizeof what, "%s: model.weights.h5", path);
    return strata_zip_read(zip, "model.weights.h5", bytes, &size, err)
               ? strata_h5_open_image(*bytes, size, what, err)
               : NULL;
}

static bool read_training(const struct archive *zip, const json_t *config, const struct h5 *weights,
                          const char *path, struct saved_training *training, strata_error *err)
{
    bool keras2;
    return is_keras2(zip, &keras2, err) && read_compile_config(config, path, training, err)
           && strata_store_read_training(weights, keras2, training, err) && read_strata(zip, training, err);
}

static strata_model *load_keras(const struct archive *zip, const char *path, struct saved_training *training,
                                strata_error *err)
{
    void *bytes = NULL;
    json_t *config = read_json(zip, "config.json", err);
    struct h5 *weights = config ? open_weights(zip, path, &bytes, err) : NULL;
    strata_model *model = weights ? strata_model_from_parsed(config, err) : NULL;
    if (model && strata_is_store(weights)) model = with_weights(model, weights, err);
    if (model && training && !read_training(zip, config, weights, path, training, err)) {
        strata_model_free(model);
        model = NULL;
    }
    strata_h5_close(weights);
    free(bytes);
    json_decref(config);
    return model;
}

static strata_model *load_zip(const char *path, struct saved_training *training, strata_error *err)
{
    struct archive *zip = strata_zip_open(path, err);
    strata_model *model = NULL;
    if (zip && !strata_zip_has(zip, "config.json"))
        strata_fail(err, STRATA_EFILE,
                    "%s: a zip without config.json: no model; if it is an .npz, load it into a model", path);
    else if (zip)
        model = load_keras(zip, path, training, err);
    if (zip && !model && strncmp(err->message, path, strlen(path)) != 0) strata_fail_in(err, "%s", path);
    strata_zip_close(zip);
    return model;
}

/* ---- by path ---- */

static bool is_folder(const char *path)
{
    struct stat there;
    return stat(path, &there) == 0 && S_ISDIR(there.st_mode);
}

static strata_model *load_file(const char *path, struct saved_training *training, strata_error *err)
{
    enum kind kind;
    if (!find_kind(path, &kind, err)) return NULL;
    if (kind == KIND_ZIP) return load_zip(path, training, err);
    return kind == KIND_HDF5 ? load_h5(path, training, err) : load_json(path, err);
}

strata_model *strata_archive_load(const char *path, struct saved_training *training, strata_error *err)
{
    if (training) *training = (struct saved_training){ 0 };
    strata_model *model = is_folder(path) ? strata_run_folder_load(path, load_file, training, err)
                                          : load_file(path, training, err);
    if (!model) strata_saved_training_release(training);
    return model;
}

strata_model *strata_model_load(const char *path, strata_error *err)
{
    return strata_archive_load(path, NULL, err);
}

/* ---- weights ---- */

static bool load_weights_h5(strata_model *model, const char *path, const strata_load_options *options,
                            strata_load_report *report, strata_error *err)
{
    struct h5 *file = strata_h5_open(path, err);
    const bool ok = file && strata_load_h5(model, file, options, report, err);
    strata_h5_close(file);
    return ok;
}

static bool load_weights_npz(strata_model *model, const char *path, const strata_load_options *options,
                             strata_load_report *report, strata_error *err)
{
    struct npz *file = strata_npz_open(path, err);
    const bool ok = file && strata_load_npz(model, file, options, report, err);
    strata_npz_close(file);
    return ok;
}

static bool load_weights_zip(strata_model *model, const char *path, const strata_load_options *options,
                             strata_load_report *report, strata_error *err)
{
    struct archive *zip = strata_zip_open(path, err);
    void *bytes = NULL;
    if (!zip) return false;
    const bool keras = strata_zip_has(zip, "model.weights.h5");
    struct h5 *weights = keras ? open_weights(zip, path, &bytes, err) : NULL;
    const bool ok = keras ? weights && strata_load_h5(model, weights, options, report, err)
                          : load_weights_npz(model, path, options, report, err);
    strata_h5_close(weights);
    free(bytes);
    strata_zip_close(zip);
    return ok;
}

bool strata_model_load_weights(strata_model *model, const char *path, const strata_load_options *options,
                               strata_load_report *report, strata_error *err)
{
    enum kind kind;
    if (report) *report = (strata_load_report){ 0 };
    if (!find_kind(path, &kind, err)) return false;
    if (kind == KIND_ZIP) return load_weights_zip(model, path, options, report, err);
    if (kind == KIND_HDF5) return load_weights_h5(model, path, options, report, err);
    return strata_fail(err, STRATA_EFILE, "%s: JSON describes a model and holds no weights", path);
}
