#include "files/tuning.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/env.h"
#include "base/folders.h"
#include "base/memory.h"
#include "base/text.h"
#include "files/archive.h"

enum { FORMAT = 1, CHECKSUM_TEXT = 17 };

static bool path_of(char path[PATH_MAX])
{
    char cache[PATH_MAX - 16];
    return strata_env_cache_dir(cache, sizeof cache) && snprintf(path, PATH_MAX, "%s/tuning.json", cache) < PATH_MAX;
}

static const char *class_of(const struct device *device)
{
    return strata_device_class_of(device) == STRATA_CPU_CLASS ? "cpu" : "gpu";
}

uint64_t strata_tuning_type(const struct device *device)
{
    const strata_device_info *info = strata_device_info_of(device);
    const char *const texts[] = { info->platform, info->name, info->driver, class_of(device) };
    uint64_t type = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        type = XXH3_64bits_withSeed(texts[i], strlen(texts[i]) + 1, type);
    return type;
}

/* ---- believing a file ------------------------------------------------------------------------------------------------ */

static bool checksum_of(const json_t *devices, char text[CHECKSUM_TEXT])
{
    char *plain = json_dumps(devices, JSON_COMPACT | JSON_SORT_KEYS);
    if (plain) snprintf(text, CHECKSUM_TEXT, "%016" PRIx64, (uint64_t)XXH3_64bits(plain, strlen(plain)));
    free(plain);
    return plain != NULL;
}

/* NULL: it can be. */
static const char *why_not(const json_t *file)
{
    char checksum[CHECKSUM_TEXT];
    const json_t *format = json_object_get(file, "strata_tuning"), *devices = json_object_get(file, "devices");
    const char *said = json_string_value(json_object_get(file, "checksum"));
    if (!json_is_integer(format)) return "it is no tuning file of Strata";
    if (json_integer_value(format) != FORMAT) return "it is of another version of Strata";
    if (!json_is_array(devices) || !said || !checksum_of(devices, checksum) || strcmp(said, checksum) != 0)
        return "it is damaged, or was changed by hand: its checksum is not that of what it holds";
    return NULL;
}

static char *warning_of(const char *path, const char *why)
{
    struct text text = { 0 };
    strata_error ignored = { 0 };
    strata_text_add(&text, "%s%s%s; it is ignored, and fixed choices serve: run strata tune again, or delete it",
                    path ? path : "", path ? ": " : "", why);
    return strata_text_take(&text, &ignored);
}

/* The list of devices, NULL when there is none that can be believed. */
static json_t *read_devices(const char *path, char **warning)
{
    strata_error err = { 0 };
    *warning = NULL;
    if (access(path, F_OK) != 0) return NULL;
    json_t *file = strata_json_read(path, &err);
    const char *why = file ? why_not(file) : NULL;
    json_t *devices = file && !why ? json_incref(json_object_get(file, "devices")) : NULL;
    if (why) *warning = warning_of(path, why);
    if (!file) *warning = warning_of(NULL, err.message);
    json_decref(file);
    return devices;
}

/* ---- a device in it ---------------------------------------------------------------------------------------------------- */

static bool is_text(const json_t *object, const char *key, const char *text)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value && strcmp(value, text) == 0;
}

static json_t *find(const json_t *devices, const struct device *device)
{
    const strata_device_info *info = strata_device_info_of(device);
    size_t index;
    json_t *one;
    json_array_foreach(devices, index, one)
    {
        if (is_text(one, "platform", info->platform) && is_text(one, "name", info->name) && is_text(one, "driver", info->driver)
            && is_text(one, "class", class_of(device)))
            return one;
    }
    return NULL;
}

json_t *strata_tuning_read(const struct device *device, char **warning)
{
    char path[PATH_MAX];
    *warning = NULL;
    json_t *devices = path_of(path) ? read_devices(path, warning) : NULL;
    json_t *choices = devices ? json_incref(json_object_get(find(devices, device), "choices")) : NULL;
    json_decref(devices);
    return choices;
}

/* ---- writing ---------------------------------------------------------------------------------------------------------------- */

/* The device's entry, made where there is none. Borrowed from the list. */
static json_t *entry_of(json_t *devices, const struct device *device)
{
    const strata_device_info *info = strata_device_info_of(device);
    json_t *entry = find(devices, device);
    if (entry) return entry;
    entry = json_pack("{s:s, s:s, s:s, s:s, s:{s:{}}}", "platform", info->platform, "name", info->name, "driver", info->driver,
                      "class", class_of(device), "choices", "ops");
    return entry && json_array_append_new(devices, entry) == 0 ? entry : NULL;
}

static bool put(json_t *devices, const struct device *device, const json_t *choices)
{
    json_t *old = json_object_get(entry_of(devices, device), "choices");
    json_t *parameters = json_object_get(choices, "clblast");
    if (!old || json_object_update(json_object_get(old, "ops"), json_object_get(choices, "ops")) != 0) return false;
    if (json_is_null(parameters)) (void)json_object_del(old, "clblast");
    return !parameters || json_is_null(parameters) || json_object_set(old, "clblast", parameters) == 0;
}

static char *text_of(json_t *devices, strata_error *err)
{
    char checksum[CHECKSUM_TEXT];
    if (!checksum_of(devices, checksum)) {
        strata_fail(err, STRATA_EMEMORY, "out of memory");
        return NULL;
    }
    json_t *file = json_pack("{s:i, s:s, s:O}", "strata_tuning", FORMAT, "checksum", checksum, "devices", devices);
    char *text = file ? strata_json_text(file, true, err) : NULL;
    if (!file) strata_fail(err, STRATA_EMEMORY, "out of memory");
    json_decref(file);
    return text;
}

bool strata_tuning_write(const struct device *device, const json_t *choices, char **path, strata_error *err)
{
    char place[PATH_MAX], *warning = NULL;
    *path = NULL;
    if (!path_of(place))
        return strata_fail(err, STRATA_EFILE, "there is no cache folder to keep what was measured in; set STRATA_CACHE_DIR");
    strata_make_parents(place);
    json_t *devices = read_devices(place, &warning);
    if (!devices) devices = json_array();
    free(warning);
    char *text = devices && put(devices, device, choices) ? text_of(devices, err) : NULL;
    bool ok = text || (err->code == STRATA_EMEMORY ? false : strata_fail(err, STRATA_EMEMORY, "out of memory"));
    ok = ok && strata_file_replace(place, text, strlen(text), err) && (*path = strata_copy_text(place, err));
    free(text);
    json_decref(devices);
    return ok;
}
