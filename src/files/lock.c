#define _GNU_SOURCE /* F_OFD_SETLK: a lock of this opening of the file, which no other close() in the process drops */
#include "files/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/thread.h"

enum { HOST = 256, CONTENT = 1024, BEAT_SECONDS = 2, WATCH_SECONDS = 5, TRIES = 10 };

struct lock {
    char *path;
    int file;
    bool beating; /* there is a thread */
    pthread_t thread;
    pthread_mutex_t guard;
    pthread_cond_t changed;
    bool stop; /* guarded */
};

struct owner {
    char host[HOST], since[64];
    long long pid, start; /* start: clock ticks after the boot; -1: not known */
};

/* ---- who --------------------------------------------------------------------------------------------------------------- */

/* When a process started, by field 22 of /proc/PID/stat, which follow the name in brackets; -1: no such process. */
static long long start_of(long long pid)
{
    char path[64], text[1024];
    long long start = -1;
    snprintf(path, sizeof path, "/proc/%lld/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return -1;
    const size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    char *at = strrchr(text, ')');
    for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
    if (at) start = strtoll(at, NULL, 10);
    return start;
}

static struct owner ourselves(void)
{
    struct owner me = { .pid = getpid() };
    struct tm local;
    const time_t now = time(NULL);
    if (gethostname(me.host, sizeof me.host - 1) != 0) snprintf(me.host, sizeof me.host, "localhost");
    if (localtime_r(&now, &local)) strftime(me.since, sizeof me.since, "%Y-%m-%d %H:%M:%S", &local);
    me.start = start_of(me.pid);
    return me;
}

static bool write_owner(const struct lock *lock, strata_error *err)
{
    const struct owner me = ourselves();
    json_t *json = json_pack("{s:s, s:I, s:s, s:I}", "host", me.host, "pid", (json_int_t)me.pid, "since", me.since, "start",
                             (json_int_t)me.start);
    char *text = json ? strata_json_text(json, false, err) : NULL;
    json_decref(json);
    const bool ok = text && !strata_file_fault() && ftruncate(lock->file, 0) == 0 && !strata_file_fault()
                    && pwrite(lock->file, text, strlen(text), 0) == (ssize_t)strlen(text) && !strata_file_fault()
                    && fsync(lock->file) == 0;
    if (!ok && err->code == STRATA_OK)
        strata_fail_file(err, lock->path, "cannot be written");
    free(text);
    return ok;
}

/* False when the file names nobody. */
static bool read_owner(int file, struct owner *owner)
{
    char text[CONTENT];
    strata_error ignored = { 0 };
    const ssize_t size = pread(file, text, sizeof text, 0);
    json_t *json = size > 0 ? strata_json_parse(text, (size_t)size, "lock", &ignored) : NULL;
    const char *host = json_string_value(json_object_get(json, "host"));
    const char *since = json_string_value(json_object_get(json, "since"));
    *owner = (struct owner){ .pid = json_integer_value(json_object_get(json, "pid")),
                             .start = json_integer_value(json_object_get(json, "start")) };
    if (host) snprintf(owner->host, sizeof owner->host, "%s", host);
    if (since) snprintf(owner->since, sizeof owner->since, "%s", since);
    json_decref(json);
    return host != NULL;
}

/* ---- whether it lives ---------------------------------------------------------------------------------------------------- */

static bool same_file(int file, const char *path)
{
    struct stat here, there;
    return fstat(file, &here) == 0 && stat(path, &there) == 0 && here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* The file is opened anew for each look: only then does NFS ask the server. */
static bool touched_at(const char *path, struct timespec *when)
{
    struct stat there;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const bool ok = file >= 0 && fstat(file, &there) == 0;
    if (file >= 0) close(file);
    if (ok) *when = there.st_mtim;
    return ok;
}

/* Whether somebody touches the file while we look. */
static bool beats(const char *path)
{
    struct timespec first, now;
    if (!touched_at(path, &first)) return false;
    for (int i = 0; i < 2 * WATCH_SECONDS; i++) {
        nanosleep(&(struct timespec){ .tv_nsec = 500000000 }, NULL);
        if (!touched_at(path, &now)) return false;
        if (now.tv_sec != first.tv_sec || now.tv_nsec != first.tv_nsec) return true;
    }
    return false;
}

static bool lives(const struct lock *lock, bool locked)
{
    struct owner owner;
    const struct owner me = ourselves();
    if (!read_owner(lock->file, &owner)) return false;
    if (strcmp(owner.host, me.host) != 0) return beats(lock->path);
    /* the kernel that gave us the lock knows its processes */
    return !locked && owner.start >= 0 && start_of(owner.pid) == owner.start;
}

static bool refuse(const struct lock *lock, strata_error *err)
{
    struct owner owner;
    if (!read_owner(lock->file, &owner))
        return strata_fail(err, STRATA_EFILE, "%s: another job holds this lock; wait for its end, or choose another run.dir",
                           lock->path);
    return strata_fail(err, STRATA_EFILE, "%s: another job trains here: process %lld on %s, since %s; wait for its end, or "
                       "choose another run.dir", lock->path, owner.pid, owner.host, owner.since);
}

/* ---- taking it -------------------------------------------------------------------------------------------------------------- */

static void *beat(void *context)
{
    struct lock *lock = context;
    pthread_mutex_lock(&lock->guard);
    while (!lock->stop) {
        if (strata_condition_wait(&lock->changed, &lock->guard, BEAT_SECONDS)) continue;
        pthread_mutex_unlock(&lock->guard);
        (void)futimens(lock->file, NULL);
        pthread_mutex_lock(&lock->guard);
    }
    pthread_mutex_unlock(&lock->guard);
    return NULL;
}

static bool start_beating(struct lock *lock, strata_error *err)
{
    const int why = strata_thread_start(&lock->thread, beat, lock);
    lock->beating = why == 0;
    return why == 0 || strata_fail_native(err, STRATA_EMEMORY, why, "%s: no thread for it: %s", lock->path, strerror(why));
}

/* One attempt; *again: the file was deleted by its last owner meanwhile. */
static bool try(struct lock *lock, bool *again, strata_error *err)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    *again = false;
    lock->file = strata_file_fault() ? -1 : open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock->file < 0)
        return strata_fail_file(err, lock->path, "cannot be written");
    const bool locked = fcntl(lock->file, F_OFD_SETLK, &whole) == 0;
    if (!locked && (errno == EAGAIN || errno == EACCES)) return refuse(lock, err);
    *again = !same_file(lock->file, lock->path);
    if (*again) return false;
    if (lives(lock, locked)) return refuse(lock, err);
    return write_owner(lock, err);
}

struct lock *strata_lock_take(const char *path, strata_error *err)
{
    struct lock *lock = strata_alloc(1, sizeof *lock, err);
    bool again = true, ok = false;
    if (!lock) return NULL;
    lock->file = -1;
    pthread_mutex_init(&lock->guard, NULL);
    strata_condition_init(&lock->changed);
    if ((lock->path = strata_copy_text(path, err)) != NULL)
        for (int i = 0; i < TRIES && again; i++) {
            if (lock->file >= 0) close(lock->file);
            ok = try(lock, &again, err);
        }
    if (again && lock->path) strata_fail(err, STRATA_EFILE, "%s: it appears and disappears; other jobs begin and end here", path);
    if (ok && start_beating(lock, err)) return lock;
    if (!ok && lock->file >= 0) {
        close(lock->file); /* it is somebody else's, so it stays */
        lock->file = -1;
    }
    strata_lock_release(lock);
    return NULL;
}

void strata_lock_release(struct lock *lock)
{
    if (!lock) return;
    if (lock->beating) {
        pthread_mutex_lock(&lock->guard);
        lock->stop = true;
        pthread_cond_broadcast(&lock->changed);
        pthread_mutex_unlock(&lock->guard);
        pthread_join(lock->thread, NULL);
    }
    if (lock->file >= 0) {
        /* while it is locked, so that nobody takes a file that is deleted then */
        if (same_file(lock->file, lock->path)) (void)unlink(lock->path);
        close(lock->file);
    }
    pthread_mutex_destroy(&lock->guard);
    pthread_cond_destroy(&lock->changed);
    free(lock->path);
    free(lock);
}
