#include "files/run_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "files/names.h"

static char *joined(const char *folder, const char *name, strata_error *err)
{
    struct text path = { 0 };
    strata_text_add(&path, "%s/%s", folder, name);
    return strata_text_take(&path, err);
}

/* N of "step-N.keras"; -1 for other names. */
static long long step_of(const char *name)
{
    char *end;
    if (strncmp(name, "step-", 5) != 0 || strspn(name + 5, "0123456789") == 0) return -1;
    const long long step = strtoll(name + 5, &end, 10);
    return strcmp(end, ".keras") == 0 ? step : -1;
}

static int newest_first(const void *a, const void *b)
{
    const long long x = step_of(*(char *const *)a), y = step_of(*(char *const *)b);
    return (x < y) - (x > y);
}

static bool list_checkpoints(const char *folder, struct names *names, strata_error *err)
{
    DIR *open = opendir(folder);
    bool ok = true;
    if (!open) return true;
    for (struct dirent *entry; ok && (entry = readdir(open));)
        if (step_of(entry->d_name) >= 0) ok = strata_names_add(names, entry->d_name, err);
    closedir(open);
    if (ok && names->count > 0) qsort(names->list, names->count, sizeof *names->list, newest_first);
    return ok;
}

static strata_model *load_newest(const char *folder, const struct names *names,
                                 strata_model *(*load)(const char *, struct saved_training *, strata_error *),
                                 struct saved_training *training, strata_error *err)
{
    strata_model *model = NULL;
    for (size_t i = 0; i < names->count && !model; i++) {
        strata_error bad = { 0 };
        char *path = joined(folder, names->list[i], err);
        if (!path) return NULL;
        strata_saved_training_release(training);
        model = load(path, training, &bad);
        if (!model && (i == 0 || bad.code == STRATA_EMEMORY)) *err = bad;
        free(path);
        if (bad.code == STRATA_EMEMORY) return NULL;
    }
    if (model) *err = (strata_error){ 0 };
    return model;
}

strata_model *strata_run_folder_load(const char *folder,
                                     strata_model *(*load)(const char *path, struct saved_training *training,
                                                           strata_error *err),
                                     struct saved_training *training, strata_error *err)
{
    const char *const whole[] = { "best.keras", "last.keras" };
    for (int i = 0; i < 2; i++) {
        char *path = joined(folder, whole[i], err);
        const bool there = path && access(path, F_OK) == 0;
        strata_model *model = there ? load(path, training, err) : NULL;
        free(path);
        if (!path || there) return model;
    }
    struct names names = { 0 };
    char *checkpoints = joined(folder, "checkpoints", err);
    strata_model *model = checkpoints && list_checkpoints(checkpoints, &names, err)
                              ? load_newest(checkpoints, &names, load, training, err)
                              : NULL;
    if (!model && names.count == 0 && checkpoints && err->code == STRATA_OK)
        strata_fail(err, STRATA_EFILE,
                    "%s: not a run folder: it has neither best.keras, last.keras nor checkpoints", folder);
    strata_names_release(&names);
    free(checkpoints);
    return model;
}
