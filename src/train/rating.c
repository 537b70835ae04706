#include "train/rating.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/files.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/env.h"
#include "files/archive.h"
#include "model/model.h"

uint64_t strata_rating_key(strata_model *model, const struct device *device, const struct slowness *slow)
{
    strata_error ignored = { 0 };
    json_t *config = strata_model_write(model, STRATA_KERAS3, &ignored);
    char *text = config ? strata_json_text(config, false, &ignored) : NULL;
    const double pretended[] = { slow->factor, slow->each };
    const char *name = strata_device_text(device);
    uint64_t key = text ? XXH3_64bits(text, strlen(text)) : 0;
    if (text) key = XXH3_64bits_withSeed(name, strlen(name), key);
    if (text) key = XXH3_64bits_withSeed(pretended, sizeof pretended, key);
    json_decref(config);
    free(text);
    return key;
}

static bool path_of(uint64_t key, bool make, char path[PATH_MAX])
{
    char cache[PATH_MAX - 64];
    if (key == 0 || !strata_env_cache_dir(cache, sizeof cache)) return false;
    snprintf(path, PATH_MAX, "%s/ratings", cache);
    if (make) (void)mkdir(cache, 0777);
    if (make) (void)mkdir(path, 0777);
    snprintf(path, PATH_MAX, "%s/ratings/%016" PRIx64, cache, key);
    return true;
}

double strata_rating_read(uint64_t key)
{
    char path[PATH_MAX];
    double rating = 0;
    FILE *file = path_of(key, false, path) ? fopen(path, "r") : NULL;
    if (!file) return 0;
    const bool ok = fscanf(file, "%lf", &rating) == 1;
    fclose(file);
    return ok && isfinite(rating) && rating > 0 ? rating : 0;
}

void strata_rating_write(uint64_t key, double rating)
{
    char path[PATH_MAX], text[64];
    strata_error ignored = { 0 };
    const int length = snprintf(text, sizeof text, "%.6g\n", rating);
    if (rating > 0 && path_of(key, true, path)) (void)strata_file_replace(path, text, (size_t)length, &ignored);
}
