/* Files appear whole or not at all, also when the power fails. */
#define _GNU_SOURCE /* O_DIRECT */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "base/text.h"
#include "files/archive.h"

enum { MOST_NAMES = 1000 /* tried for the file aside */, DIRECT_LEAST = 64 << 10 };

static bool report(const char *path, const char *doing, int error, strata_error *err)
{
    errno = error;
    return strata_fail_file(err, path, doing);
}

/* A new file beside `path`, so that rename does not leave its file system. */
static int open_aside(const char *path, char **aside, strata_error *err)
{
    for (int i = 0; i < MOST_NAMES; i++) {
        struct text name = { 0 };
        strata_text_add(&name, "%s.part-%ld-%d", path, (long)getpid(), i);
        *aside = strata_text_take(&name, err);
        const int file = *aside && !strata_file_fault() ? open(*aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
        if (file >= 0) return file;
        const int error = errno;
        const bool again = *aside && error == EEXIST;
        if (*aside && (!again || i + 1 == MOST_NAMES)) report(path, "cannot be written", error, err);
        free(*aside);
        *aside = NULL;
        if (!again) break;
    }
    return -1;
}

/* ---- writing ---- */

/* A file system that cannot refuses it here, or with EINVAL when something is written. */
static bool set_direct(int file, bool direct)
{
    const int flags = fcntl(file, F_GETFL), wanted = direct ? flags | O_DIRECT : flags & ~O_DIRECT;
    return flags >= 0 && (wanted == flags || fcntl(file, F_SETFL, wanted) == 0);
}

/* How many bytes to write at once, and whether past the page cache: whole pages, up to the first of which the others go. */
static size_t next_piece(struct replacing *r, const char *bytes, size_t size, bool *direct)
{
    const off_t at = r->indirect || size < DIRECT_LEAST ? -1 : lseek(r->file, 0, SEEK_CUR);
    const size_t in_page = at < 0 ? 0 : (size_t)at % STRATA_FILE_PAGE, most = (size_t)1 << 30;
    const bool alike = at >= 0 && (uintptr_t)bytes % STRATA_FILE_PAGE == in_page;
    *direct = alike && in_page == 0;
    if (*direct && !set_direct(r->file, true)) {
        *direct = false;
        r->indirect = true;
    }
    if (size > most) size = most;
    if (*direct) return size - size % STRATA_FILE_PAGE;
    return alike && in_page > 0 ? STRATA_FILE_PAGE - in_page : size;
}

static bool write_all(struct replacing *r, const char *bytes, size_t size)
{
    bool ok = true;
    while (ok && size > 0) {
        bool direct;
        const size_t some = next_piece(r, bytes, size, &direct);
        const ssize_t wrote = !direct && !set_direct(r->file, false) ? -1 : strata_file_fault() ? -1 : write(r->file, bytes, some);
        if (wrote < 0 && errno == EINVAL && direct)
            r->indirect = true;
        else
            ok = wrote >= 0 || errno == EINTR;
        if (wrote > 0) {
            bytes += wrote;
            size -= (size_t)wrote;
        }
    }
    return ok;
}

static bool sync_folder(const char *path, strata_error *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = !slash ? strata_copy_text(".", err)
                          : strata_copy_bytes(path, slash == path ? 1 : (size_t)(slash - path), err);
    if (!folder) return false;
    const int file = strata_file_fault() ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* some network file systems cannot sync a folder and say EINVAL; their rename is all there is */
    const bool ok = file >= 0 && ((!strata_file_fault() && fsync(file) == 0) || errno == EINVAL);
    if (!ok) report(folder, "the folder cannot be flushed", errno, err);
    if (file >= 0) close(file);
    free(folder);
    return ok;
}

bool strata_replacing_begin(struct replacing *r, const char *path, strata_error *err)
{
    struct stat there;
    *r = (struct replacing){ .file = -1 };
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return strata_fail(err, STRATA_EFILE, "%s: not a regular file; it is not replaced", path);
    r->path = realpath(path, NULL); /* where a link leads is replaced, not the link */
    if (!r->path) r->path = strata_copy_text(path, err);
    if (!r->path) return false;
    r->file = open_aside(r->path, &r->aside, err);
    if (r->file < 0) strata_replacing_cancel(r);
    return r->file >= 0;
}

bool strata_replacing_commit(struct replacing *r, strata_error *err)
{
    bool ok = !strata_file_fault() && fsync(r->file) == 0;
    int error = errno;
    const bool closes = ok && !strata_file_fault();
    const int closing = errno;
    if ((close(r->file) != 0 || !closes) && ok) {
        ok = false;
        error = closes ? errno : closing;
    }
    r->file = -1;
    if (ok && (strata_file_fault() || rename(r->aside, r->path) != 0)) {
        ok = false;
        error = errno;
    }
    if (!ok) report(r->path, "cannot be written", error, err);
    if (ok) {
        free(r->aside);
        r->aside = NULL;
        ok = sync_folder(r->path, err);
    }
    strata_replacing_cancel(r);
    return ok;
}

void strata_replacing_cancel(struct replacing *r)
{
    if (r->file >= 0) close(r->file);
    if (r->aside) unlink(r->aside);
    free(r->aside);
    free(r->path);
    *r = (struct replacing){ .file = -1 };
}

bool strata_replacing_write(struct replacing *r, const void *bytes, size_t size, strata_error *err)
{
    return write_all(r, bytes, size) || report(r->path, "cannot be written", errno, err);
}

bool strata_file_replace(const char *path, const void *bytes, size_t size, strata_error *err)
{
    struct replacing r;
    const bool ok = strata_replacing_begin(&r, path, err) && strata_replacing_write(&r, bytes, size, err);
    if (ok) return strata_replacing_commit(&r, err);
    strata_replacing_cancel(&r);
    return false;
}
