#include "train/frozen_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "data/dataset.h"

/* The name goes at once, so that nothing stays behind however the run ends. */
static int open_nameless(const char *folder, size_t bytes, strata_error *err)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/frozen-XXXXXX", folder) >= (int)sizeof path) {
        strata_fail(err, STRATA_EFILE, "%s: the name is too long", folder);
        return -1;
    }
    const int file = mkstemp(path);
    if (file < 0) {
        strata_fail(err, STRATA_EFILE, "%s: no file can be made there: %s", folder, strerror(errno));
        return -1;
    }
    unlink(path);
    const int failed = posix_fallocate(file, 0, (off_t)bytes); /* now, and not by a signal in mid-training */
    if (failed == 0) return file;
    strata_fail(err, STRATA_EMEMORY, "%s: there is no room for %zu bytes: %s", folder, bytes, strerror(failed));
    close(file);
    return -1;
}

static float *map_file(const char *folder, size_t bytes, strata_error *err)
{
    const int file = open_nameless(folder, bytes, err);
    if (file < 0) return NULL;
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (at != MAP_FAILED) return at;
    strata_fail(err, STRATA_EMEMORY, "%s: %zu bytes cannot be mapped: %s", folder, bytes, strerror(errno));
    return NULL;
}

bool strata_frozen_cache_open(struct frozen_cache *cache, const strata_data *data, const struct shape *shape,
                              const char *folder, strata_error *err)
{
    const size_t each = strata_shape_count(shape) * sizeof(float);
    cache->data = *data;
    cache->data.scale = 1;
    cache->data.stream = NULL;
    cache->data.first = 0;
    cache->data.augment = NULL;
    cache->data.x = (struct column){ .type = STRATA_FLOAT32, .shape = *shape };
    cache->bytes = data->count * each;
    cache->mapped = folder != NULL;
    cache->data.x.values = folder ? map_file(folder, cache->bytes, err) : strata_alloc(data->count, each, err);
    return cache->data.x.values != NULL;
}

void strata_frozen_cache_close(struct frozen_cache *cache)
{
    if (!cache->data.x.values) return;
    if (cache->mapped)
        munmap(cache->data.x.values, cache->bytes);
    else
        free(cache->data.x.values);
    *cache = (struct frozen_cache){ 0 };
}
