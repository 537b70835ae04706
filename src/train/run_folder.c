#include "train/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/plot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/folders.h"
#include "base/memory.h"
#include "base/text.h"
#include "files/archive.h"
#include "files/lock.h"
#include "train/history.h"

struct run_folder {
    char *dir;
    bool writes;
    struct lock *lock; /* of those that write */
};

/* ---- life --------------------------------------------------------------------------------------------------------------- */

/* Makes a folder and those it lies in. */
static bool make_folder(char *path, strata_error *err)
{
    strata_make_parents(path);
    if (!strata_file_fault() && (mkdir(path, 0777) == 0 || errno == EEXIST)) {
        if (access(path, W_OK | X_OK) == 0) return true;
    }
    return strata_fail_file(err, path, "the run folder cannot be written");
}

static bool write_text(const struct run_folder *folder, const char *name, const char *text, strata_error *err)
{
    char *path = text ? strata_run_folder_path(folder, name, err) : NULL;
    const bool ok = path && strata_file_replace(path, text, strlen(text), err);
    free(path);
    return ok;
}

/* Whether a name is one that strata_file_replace writes aside: "NAME.part-PID-N". */
static bool is_part(const char *name)
{
    const char *at = strstr(name, ".part-");
    return at && strspn(at + 6, "0123456789-") == strlen(at + 6);
}

/* What a killed run left half written. Nobody else writes here, for the folder is locked. */
static void remove_parts(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;)
        if (is_part(entry->d_name)) (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir) closedir(dir);
}

static bool lock(struct run_folder *folder, strata_error *err)
{
    char *path = strata_run_folder_path(folder, "lock", err);
    folder->lock = path ? strata_lock_take(path, err) : NULL;
    free(path);
    return folder->lock != NULL;
}

static bool prepare(struct run_folder *folder, const char *job, strata_error *err)
{
    char *checkpoints = strata_run_folder_path(folder, "checkpoints", err);
    bool ok = checkpoints && make_folder(checkpoints, err) && lock(folder, err);
    if (ok) {
        remove_parts(folder->dir);
        remove_parts(checkpoints);
        ok = !job || write_text(folder, "job.json", job, err);
    }
    free(checkpoints);
    return ok;
}

struct run_folder *strata_run_folder_open(const char *dir, const char *job, bool writes, strata_error *err)
{
    struct run_folder *folder = strata_alloc(1, sizeof *folder, err);
    if (!folder) return NULL;
    folder->writes = writes;
    folder->dir = strata_copy_text(dir, err);
    if (folder->dir && (!writes || prepare(folder, job, err))) return folder;
    strata_run_folder_close(folder);
    return NULL;
}

void strata_run_folder_close(struct run_folder *folder)
{
    if (!folder) return;
    strata_lock_release(folder->lock);
    free(folder->dir);
    free(folder);
}

char *strata_run_folder_path(const struct run_folder *folder, const char *name, strata_error *err)
{
    struct text path = { 0 };
    strata_text_add(&path, "%s/%s", folder->dir, name);
    return strata_text_take(&path, err);
}

/* ---- files that people read ----------------------------------------------------------------------------------------------- */

static bool append(const char *path, const char *line, strata_error *err)
{
    FILE *file = strata_file_fault() ? NULL : fopen(path, "a");
    bool ok = file && !strata_file_fault() && fprintf(file, "%s\n", line) > 0;
    if (file) ok = fclose(file) == 0 && ok;
    return ok || strata_fail_file(err, path, "cannot be written");
}

bool strata_run_folder_log(struct run_folder *folder, json_t *event, strata_error *err)
{
    char *line = NULL, *path = NULL;
    bool ok = event || strata_fail(err, STRATA_EMEMORY, "out of memory while an event was logged");
    if (ok && folder->writes)
        ok = (line = strata_json_text(event, false, err)) && (path = strata_run_folder_path(folder, "log.jsonl", err))
             && append(path, line, err);
    json_decref(event);
    free(line);
    free(path);
    return ok;
}

static char *draw(const strata_history *history, strata_error *err)
{
    const size_t count = strata_history_count(history);
    strata_curve *curves = strata_alloc(count, sizeof *curves, err);
    if (!curves) return NULL;
    for (size_t i = 0; i < count; i++)
        curves[i] = (strata_curve){ strata_history_name(history, i), strata_history_values(history, i),
                                    strata_history_epochs(history) };
    char *svg = strata_curves_svg("", curves, count, err);
    free(curves);
    return svg;
}

bool strata_run_folder_history(struct run_folder *folder, const strata_history *history, size_t first,
                               strata_error *err)
{
    if (!folder->writes) return true;
    char *csv = strata_history_csv(history, first + 1, err);
    char *svg = csv ? draw(history, err) : NULL;
    const bool ok = svg && write_text(folder, "history.csv", csv, err) && write_text(folder, "curves.svg", svg, err);
    free(csv);
    free(svg);
    return ok;
}

/* ---- checkpoints -------------------------------------------------------------------------------------------------------------- */

static bool step_of(const char *name, size_t *step)
{
    int end = 0;
    return sscanf(name, "step-%zu.keras%n", step, &end) == 1 && end > 0 && name[end] == '\0';
}

static int ascending(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

bool strata_run_folder_checkpoints(const struct run_folder *folder, size_t **steps, size_t *count, strata_error *err)
{
    size_t room = 0;
    void *list = NULL;
    bool ok = true;
    char *path = strata_run_folder_path(folder, "checkpoints", err);
    DIR *dir = path ? opendir(path) : NULL;
    *count = 0;
    for (struct dirent *entry; dir && ok && (entry = readdir(dir)) != NULL;) {
        size_t step;
        if (entry->d_type == DT_DIR || !step_of(entry->d_name, &step)) continue;
        ok = strata_reserve(&list, &room, *count + 1, sizeof **steps, err);
        if (ok) ((size_t *)list)[(*count)++] = step;
    }
    if (dir) closedir(dir);
    *steps = list;
    if (*count > 1) qsort(*steps, *count, sizeof **steps, ascending);
    ok = ok && path;
    free(path);
    if (ok) return true;
    free(list);
    *steps = NULL;
    return false;
}

void strata_run_folder_prune(const struct run_folder *folder, size_t keep)
{
    strata_error ignored = { 0 };
    size_t *steps, count;
    if (!folder->writes || !strata_run_folder_checkpoints(folder, &steps, &count, &ignored)) return;
    for (size_t i = 0; i + keep < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "checkpoints/step-%zu.keras", steps[i]);
        char *path = strata_run_folder_path(folder, name, &ignored);
        if (path) (void)unlink(path); /* one more old file does no harm */
        free(path);
    }
    free(steps);
}
