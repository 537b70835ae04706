#include "data/folder_priv.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/stream.h"

enum { DEEPEST = 64 };

/* ---- names in a folder ----------------------------------------------------------------------------------------------- */

struct entries {
    char **names; /* owned, NULL-terminated, sorted by bytes, which for UTF-8 is Python's order too */
    size_t count, room;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool add_name(struct entries *e, const char *name, strata_error *err)
{
    void *names = e->names;
    if (!strata_reserve(&names, &e->room, e->count + 2, sizeof *e->names, err)) return false;
    e->names = names;
    e->names[e->count + 1] = NULL;
    return (e->names[e->count] = strata_copy_text(name, err)) && ++e->count;
}

static bool read_entries(const char *path, struct entries *e, strata_error *err)
{
    DIR *folder = opendir(path);
    bool ok = folder != NULL;
    if (!folder)
        return strata_fail_native(err, STRATA_EFILE, errno, "%s: the folder cannot be read: %s", path, strerror(errno));
    errno = 0;
    for (const struct dirent *entry; ok && (entry = readdir(folder)); errno = 0)
        ok = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || add_name(e, entry->d_name, err);
    if (ok && errno != 0)
        ok = strata_fail_native(err, STRATA_EFILE, errno, "%s: the folder cannot be read: %s", path, strerror(errno));
    closedir(folder);
    if (ok && e->count > 1) qsort(e->names, e->count, sizeof *e->names, by_name);
    return ok;
}

static char *join(const char *folder, const char *name, strata_error *err)
{
    struct text path = { 0 };
    strata_text_add(&path, "%s/%s", folder, name);
    return strata_text_take(&path, err);
}

static bool is_folder(const char *path, bool follow)
{
    struct stat there;
    return (follow ? stat(path, &there) : lstat(path, &there)) == 0 && S_ISDIR(there.st_mode);
}

static bool is_picture(const char *name)
{
    static const char *const ends[] = { ".bmp", ".gif", ".jpeg", ".jpg", ".png" };
    const size_t length = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const size_t tail = strlen(ends[i]);
        if (length >= tail && strcasecmp(name + length - tail, ends[i]) == 0) return true;
    }
    return false;
}

/* ---- pictures -------------------------------------------------------------------------------------------------------- */

static bool add_picture(struct listing *l, const char *folder, const char *name, int32_t label, strata_error *err)
{
    void *list = l->list;
    if (!strata_reserve(&list, &l->room, l->count + 1, sizeof *l->list, err)) return false;
    l->list = list;
    l->list[l->count] = (struct listed){ join(folder, name, err), strlen(folder), label };
    if (!l->list[l->count].path) return false;
    l->count++;
    return true;
}

/* Links to folders are not followed: they may go round. */
static bool add_below(struct listing *l, const char *path, int32_t label, int depth, strata_error *err)
{
    struct entries e = { 0 };
    bool ok = read_entries(path, &e, err);
    for (size_t i = 0; ok && i < e.count; i++) {
        char *inside = join(path, e.names[i], err);
        ok = inside != NULL;
        if (ok && is_folder(inside, true))
            ok = depth == DEEPEST || !is_folder(inside, false) || add_below(l, inside, label, depth + 1, err);
        else if (ok && is_picture(e.names[i]))
            ok = add_picture(l, path, e.names[i], label, err);
        free(inside);
    }
    strata_texts_free(e.names);
    return ok;
}

static int by_folder(const void *a, const void *b)
{
    const struct listed *p = a, *q = b;
    const int order = memcmp(p->path, q->path, p->folder < q->folder ? p->folder : q->folder);
    if (order != 0) return order;
    if (p->folder != q->folder) return p->folder < q->folder ? -1 : 1;
    return strcmp(p->path + p->folder, q->path + q->folder);
}

static bool add_class(struct listing *l, const char *path, int32_t label, strata_error *err)
{
    const size_t before = l->count;
    if (!add_below(l, path, label, 0, err)) return false;
    if (l->count > before) qsort(l->list + before, l->count - before, sizeof *l->list, by_folder);
    return true;
}

/* ---- classes --------------------------------------------------------------------------------------------------------- */

static bool find_classes(const char *path, struct entries *classes, strata_error *err)
{
    struct entries all = { 0 };
    bool ok = read_entries(path, &all, err);
    for (size_t i = 0; ok && i < all.count; i++) {
        char *inside = join(path, all.names[i], err);
        ok = inside && (all.names[i][0] == '.' || !is_folder(inside, true) || add_name(classes, all.names[i], err));
        free(inside);
    }
    strata_texts_free(all.names);
    return ok;
}

bool strata_listing_make(struct listing *l, const char *path, char ***classes, strata_error *err)
{
    struct entries found = { 0 };
    bool ok = find_classes(path, &found, err) && (found.count > 0 || add_class(l, path, 0, err));
    *classes = found.names;
    for (size_t i = 0; ok && i < found.count; i++) {
        char *inside = join(path, found.names[i], err);
        ok = inside && add_class(l, inside, (int32_t)i, err);
        free(inside);
    }
    if (ok && l->count == 0)
        ok = strata_fail(err, STRATA_EFILE, "%s: it holds no pictures; a folder with a folder of JPEG or PNG files a class "
                         "is expected", path);
    if (ok && l->count > UINT32_MAX)
        ok = strata_fail(err, STRATA_EFILE, "%s: %zu pictures are more than a dataset can have", path, l->count);
    return ok;
}

void strata_listing_free(struct listing *l)
{
    for (size_t i = 0; i < l->count; i++) free(l->list[i].path);
    free(l->list);
    *l = (struct listing){ 0 };
}
