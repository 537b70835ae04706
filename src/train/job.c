#include "train/job_priv.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "train/callback.h"

/* ---- errors ---------------------------------------------------------------------------------------------------- */

/* Length of the word that a message begins with when a key of the section may be meant: letters, digits, '_'. */
static size_t first_word(const char *message)
{
    size_t length = 0;
    while (isalnum((unsigned char)message[length]) || message[length] == '_') length++;
    return length;
}

static bool begins_with_key(const json_t *section, const char *message)
{
    char word[128];
    const size_t length = first_word(message);
    if (length == 0 || length >= sizeof word) return false;
    if (strncmp(message + length, " is missing", 11) == 0) return true;
    memcpy(word, message, length);
    word[length] = '\0';
    return json_object_get(section, word) != NULL;
}

bool strata_job_fail_in(const strata_job *job, const char *section, strata_error *err)
{
    char message[sizeof err->message];
    if (section[0]) {
        const bool key = begins_with_key(json_object_get(job->json, section), err->message);
        memcpy(message, err->message, sizeof message);
        snprintf(err->message, sizeof err->message, "%.200s%s%.1700s", section, key ? "." : ": ", message);
    }
    return strata_fail_in(err, "%s", job->path);
}

/* ---- --set ----------------------------------------------------------------------------------------------------- */

static json_t *value_of(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    return value ? value : json_string(text);
}

/* The member of an object or list under a key, or NULL. */
static json_t *inside(json_t *json, const char *key)
{
    if (json_is_array(json) && key[0] && key[strspn(key, "0123456789")] == '\0')
        return json_array_get(json, strtoul(key, NULL, 10));
    return json_object_get(json, key);
}

static bool put(json_t *json, const char *key, json_t *owned)
{
    if (json_is_array(json) && key[0] && key[strspn(key, "0123456789")] == '\0')
        return json_array_set_new(json, strtoul(key, NULL, 10), owned) == 0;
    return json_object_set_new(json, key, owned) == 0;
}

bool strata_job_set(json_t *json, const char *set, strata_error *err)
{
    char path[512], *key = path;
    const size_t length = strcspn(set, "=");
    if (length == 0 || set[length] == '\0' || length >= sizeof path)
        return strata_fail(err, STRATA_EUSAGE, "--set %s: KEY=VALUE is expected, such as fit.epochs=5", set);
    memcpy(path, set, length);
    path[length] = '\0';
    for (char *dot = strchr(key, '.'); dot; dot = strchr(key, '.')) {
        *dot = '\0';
        json_t *next = inside(json, key);
        if (!next && json_is_object(json)) {
            next = json_object();
            json_object_set_new(json, key, next);
        }
        json = next;
        if (!json_is_object(json) && !json_is_array(json))
            return strata_fail(err, STRATA_EJOB, "--set %s: there is no object or list at \"%s\"", set, path);
        *dot = '.';
        key = dot + 1;
    }
    return put(json, key, value_of(set + length + 1))
           || strata_fail(err, STRATA_EJOB, "--set %s: \"%s\" is no index of the list there", set, key);
}

/* ---- loading --------------------------------------------------------------------------------------------------- */

static void drop_comments(json_t *json)
{
    const char *key;
    json_t *value;
    size_t index;
    void *next;
    json_object_foreach_safe(json, next, key, value)
    {
        if (key[0] == '#')
            json_object_del(json, key);
        else
            drop_comments(value);
    }
    json_array_foreach(json, index, value) drop_comments(value);
}

static bool known_sections(const strata_job *job, strata_error *err)
{
    static const char *const sections[] = { "model",   "weights", "trainable", "data",
                                            "compile", "fit",     "callbacks", "run",  "phases" };
    const char *key;
    json_t *value;
    json_object_foreach(job->json, key, value)
    {
        size_t i = 0, count = sizeof sections / sizeof *sections;
        while (i < count && strcmp(sections[i], key) != 0) i++;
        if (i < count) continue;
        const char *nearest = strata_nearest(key, sections, count);
        return strata_fail(
            err, STRATA_EJOB, "unknown key \"%s\"; %s%s%s", key, nearest ? "did you mean \"" : "",
            nearest ? nearest : "the keys are model, weights, trainable, data, compile, fit, callbacks, run, phases",
            nearest ? "\"?" : "");
    }
    return true;
}

static bool parse_section(const strata_job *job, const char *section, const struct field *fields,
                          void *config, strata_error *err)
{
    const json_t *given = json_object_get(job->json, section);
    if (!given) return strata_config_defaults(fields, config, err);
    if (!json_is_object(given))
        return strata_fail(err, STRATA_EJOB, "%s: %s is %s; an object is expected", job->path, section,
                           strata_json_kind(given));
    return strata_config_parse(fields, given, STRATA_KERAS3, NULL, config, err)
           || strata_job_fail_in(job, section, err);
}

/* Callbacks by name, so that a typo shows before anything was done. */
static bool check_callbacks(const strata_job *job, const json_t *callbacks, strata_error *err)
{
    size_t index;
    json_t *value;
    if (!json_is_array(callbacks))
        return strata_fail(err, STRATA_EJOB, "%s: callbacks is %s; a list is expected", job->path,
                           strata_json_kind(callbacks));
    json_array_foreach(callbacks, index, value)
    {
        struct object object;
        if (!strata_object_parse(&strata_callbacks, value, STRATA_KERAS3, &object, err))
            return strata_fail_in(err, "%s: callbacks[%zu]", job->path, index);
        strata_object_release(&object);
    }
    return true;
}

/* run.dir, or runs/NAME for NAME.json. */
static bool find_dir(strata_job *job, strata_error *err)
{
    if (!job->run.dir) return true;
    if (job->run.dir[0]) return (job->dir = strata_copy_text(job->run.dir, err)) != NULL;
    const char *name = strrchr(job->path, '/') ? strrchr(job->path, '/') + 1 : job->path;
    const char *dot = strrchr(name, '.');
    struct text text = { 0 };
    strata_text_add(&text, "runs/%.*s", dot && dot > name ? (int)(dot - name) : (int)strlen(name), name);
    return (job->dir = strata_text_take(&text, err)) != NULL;
}

static bool keep_texts(strata_job *job, const json_t *raw, strata_error *err)
{
    const json_t *callbacks = json_object_get(job->json, "callbacks");
    if (callbacks && !check_callbacks(job, callbacks, err)) return false;
    if (callbacks && !(job->callbacks = strata_json_text(callbacks, false, err))) return false;
    if (job->run.checkpoint && !(job->checkpoint = strata_json_text(job->run.checkpoint, false, err)))
        return false;
    return (job->text = strata_json_text(raw, true, err)) != NULL;
}

static bool read_job(strata_job *job, json_t *raw, const char *const *sets, size_t set_count,
                     strata_error *err)
{
    if (!json_is_object(raw))
        return strata_fail(err, STRATA_EJOB,
                           "%s: the job is %s; an object with the keys model, data, compile, fit, run "
                           "is expected",
                           job->path, strata_json_kind(raw));
    for (size_t i = 0; i < set_count; i++)
        if (!strata_job_set(raw, sets[i], err)) return false;
    job->json = json_deep_copy(raw);
    if (!job->json) return strata_fail(err, STRATA_EMEMORY, "%s: out of memory", job->path);
    drop_comments(job->json);
    return (known_sections(job, err) || strata_job_fail_in(job, "", err))
           && parse_section(job, "fit", strata_job_fit_fields, &job->fit, err)
           && strata_job_read_phases(job, err)
           && parse_section(job, "run", strata_job_run_fields, &job->run, err)
           && find_dir(job, err) && keep_texts(job, raw, err);
}

strata_job *strata_job_load(const char *path, const char *const *sets, size_t set_count, strata_error *err)
{
    strata_job *job = strata_alloc(1, sizeof *job, err);
    json_t *raw = job ? strata_json_read(path, err) : NULL;
    const bool ok =
        raw && (job->path = strata_copy_text(path, err)) && read_job(job, raw, sets, set_count, err);
    json_decref(raw);
    if (ok) return job;
    strata_job_free(job);
    return NULL;
}

void strata_job_free(strata_job *job)
{
    if (!job) return;
    strata_config_release(strata_job_fit_fields, &job->fit);
    strata_config_release(strata_job_run_fields, &job->run);
    strata_job_free_phases(job);
    json_decref(job->json);
    free(job->path);
    free(job->text);
    free(job->dir);
    free(job->callbacks);
    free(job->checkpoint);
    free(job);
}

const char *strata_job_path(const strata_job *job)
{
    return job->path;
}

const char *strata_job_text(const strata_job *job)
{
    return job->text;
}

const char *strata_job_devices(const strata_job *job)
{
    return job->run.devices;
}

const char *strata_job_dir(const strata_job *job)
{
    return job->dir;
}

bool strata_job_saves(const strata_job *job)
{
    return job->dir && job->checkpoint;
}

size_t strata_job_max_memory(const strata_job *job)
{
    return job->run.max_memory;
}
