#include "cli/load.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/text.h>

#include "cli/output.h"
#include "cli/profile.h"

static strata_context *open_context(const char *devices, bool profile, bool ok, strata_error *err)
{
    strata_error failed = *err;
    const strata_context_config config = {
        .devices = devices, .profile = profile, .compiler = "/proc/self/exe", .failed = ok ? NULL : &failed
    };
    strata_context *context = strata_context_create(&config, err);
    if (context && strata_context_warning(context)) fprintf(stderr, "warning: %s\n", strata_context_warning(context));
    return context;
}

static void tell(void *context, const char *message)
{
    strata_note(context, "%s", message);
}

bool strata_command_limit(const struct command *c, strata_context *context, size_t otherwise, strata_error *err)
{
    const char *given = strata_command_option(c, "--max-memory");
    size_t bytes = otherwise;
    if (given && !strata_parse_bytes(given, &bytes))
        return strata_command_fail(err, STRATA_EUSAGE, "--max-memory is \"%s\"; a size such as 2GiB or 512MiB is expected", given);
    strata_context_limit_memory(context, bytes, tell, (void *)c);
    return true;
}

strata_context *strata_open_context(const char *devices, bool ok, strata_error *err)
{
    return open_context(devices, false, ok, err);
}

strata_context *strata_open_timed_context(const struct command *c, const char *devices, bool ok, strata_error *err)
{
    return open_context(devices, strata_wants_profile(c), ok, err);
}

strata_job *strata_command_job(const struct command *c, const char *path, strata_error *err)
{
    char seed[48];
    const char **sets = calloc(c->set_count + 1, sizeof *sets);
    if (!sets) {
        strata_command_fail(err, STRATA_EMEMORY, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < c->set_count; i++) sets[i] = c->sets[i];
    snprintf(seed, sizeof seed, "fit.seed=%" PRIu64, c->seed);
    sets[c->set_count] = seed;
    strata_job *job = strata_job_load(path, sets, c->set_count + c->seeded, err);
    free(sets);
    return job;
}

/* A job has its model under a key of that name; a model of Keras has no such key. */
static bool is_job(const char *path)
{
    const size_t length = strlen(path);
    if (length < 5 || strcmp(path + length - 5, ".json") != 0) return false;
    json_t *json = json_load_file(path, 0, NULL);
    const bool job = json_object_get(json, "model") != NULL;
    json_decref(json);
    return job;
}

strata_model *strata_command_model(const struct command *c, const char *path, strata_error *err)
{
    if (!is_job(path)) return strata_model_open(path, err);
    strata_job *job = strata_command_job(c, path, err);
    strata_model *model = job ? strata_job_model(job, NULL, NULL, err) : NULL;
    strata_job_free(job);
    return model;
}

/* --limit belongs to the source; a source that is text becomes an object for it. */
static strata_data *open_limited(const char *source, size_t limit, strata_error *err)
{
    json_t *json = source[0] == '{' ? json_loads(source, 0, NULL) : json_pack("{s:s}", "source", source);
    char *text = json && json_object_set_new(json, "limit", json_integer((json_int_t)limit)) == 0
                     ? json_dumps(json, JSON_REAL_PRECISION(15))
                     : NULL;
    json_decref(json);
    strata_data *data = strata_data_open(text ? text : source, err);
    free(text);
    return data;
}

static strata_data *open_data(const struct command *c, strata_error *err)
{
    const char *source = strata_command_option(c, "--data");
    size_t limit;
    if (!source) {
        strata_command_fail(err, STRATA_EUSAGE, "%s: --data is missing, such as --data fashion-mnist:test",
                            c->verb->name);
        return NULL;
    }
    if (!strata_command_count(c, "--limit", 0, &limit, err)) return NULL;
    return limit > 0 ? open_limited(source, limit, err) : strata_data_open(source, err);
}

static strata_shape sample_shape(const strata_data *data)
{
    const strata_array x = strata_data_x(data);
    strata_shape shape = { .rank = x.rank - 1 };
    for (int i = 1; i < x.rank; i++) shape.dim[i - 1] = x.dim[i];
    return shape;
}

/* Keras builds at the first call; here the data is that call. */
static bool build_for(strata_model *model, const strata_data *data, strata_error *err)
{
    const strata_shape shape = sample_shape(data);
    return strata_model_built(model) || strata_model_build(model, &shape, 0, err);
}

bool strata_session_shape(const struct session *s, const strata_layer *layer, strata_shape *shape, strata_error *err)
{
    const strata_shape in = sample_shape(s->data);
    return strata_model_output_shape_for(s->model, layer, &in, shape, err);
}

void strata_command_suit(strata_data *data, const strata_model *model)
{
    enum { MOST_NOTES = 20 };
    const strata_shape in = strata_model_input_shape(model);
    size_t notes = 0;
    if (!data) return;
    if (strata_model_built(model)) strata_data_suit(data, in.dim, in.rank);
    while (strata_data_note(data, notes)) notes++;
    for (size_t i = 0; i < notes && strata_launch_rank() == 0; i++) {
        if (i == MOST_NOTES && notes > MOST_NOTES + 1) {
            fprintf(stderr, "warning: %s: and %zu more like that\n", strata_data_name(data), notes - i);
            break;
        }
        fprintf(stderr, "warning: %s: %s\n", strata_data_name(data), strata_data_note(data, i));
    }
}

bool strata_session_open(const struct command *c, struct session *s, strata_error *err)
{
    bool ok = strata_command_count(c, "--batch-size", 128, &s->batch_size, err)
              && (s->data = open_data(c, err)) != NULL
              && (s->model = strata_model_open(c->words[0], err)) != NULL;
    if (ok && c->seeded) strata_model_set_seed(s->model, c->seed);
    if (ok) strata_command_suit(s->data, s->model);
    ok = ok && build_for(s->model, s->data, err);
    s->context = strata_open_context(c->devices, ok, err);
    return s->context && strata_context_agree(s->context, strata_command_limit(c, s->context, 0, err), err);
}

bool strata_session_agree(const struct session *s, bool ok, strata_error *err)
{
    return strata_context_agree(s->context, ok, err);
}

void strata_session_close(struct session *s)
{
    strata_model_free(s->model);
    strata_data_free(s->data);
    strata_context_free(s->context);
    *s = (struct session){ 0 };
}

const char *strata_shape_words(const strata_shape *shape, bool batch, char buffer[STRATA_SHAPE_WORDS])
{
    size_t used = 0;
    if (shape->rank < 0) return "?";
    used += (size_t)snprintf(buffer, STRATA_SHAPE_WORDS, "(%s", batch ? "None" : "");
    for (int i = 0; i < shape->rank; i++) {
        char extent[24] = "None";
        if (shape->dim[i] > 0) snprintf(extent, sizeof extent, "%zu", shape->dim[i]);
        used += (size_t)snprintf(buffer + used, STRATA_SHAPE_WORDS - used, "%s%s", i > 0 || batch ? ", " : "", extent);
    }
    snprintf(buffer + used, STRATA_SHAPE_WORDS - used, "%s)", shape->rank + batch == 1 ? "," : "");
    return buffer;
}
