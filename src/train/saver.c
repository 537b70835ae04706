#include "train/saver.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"
#include "device/buffer.h"

struct saver {
    const struct run_folder *folder;
    size_t keep;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct keras_parts *parts; /* guarded by lock, as is all below; in hand until it is NULL again */
    char *best;                /* owned; NULL: only the checkpoint is wanted */
    struct event *there;       /* owned */
    char odd[STRATA_ODD_NAME];
    bool failed, stop;
    strata_error error; /* of the first file since it was asked for */
};

/* Where a file cannot be written, its error says what there still is. */
static void tell_newest(const struct run_folder *folder, strata_error *err)
{
    const strata_error told = *err;
    strata_error ignored = { 0 };
    size_t *steps, count;
    if (!strata_run_folder_checkpoints(folder, &steps, &count, &ignored)) return;
    if (count > 0)
        strata_fail_native(err, told.code, told.native, "%s; the newest checkpoint is still that of step %zu", told.message,
                           steps[count - 1]);
    else
        strata_fail_native(err, told.code, told.native, "%s; there is no checkpoint yet", told.message);
    free(steps);
}

/* A checkpoint of what is worth nothing would take the place of a good one. */
static bool write_if_finite(const struct saver *s, struct keras_parts *parts, char odd[STRATA_ODD_NAME], strata_error *err)
{
    odd[0] = '\0';
    bool ok = strata_event_wait(s->there, err);
    if (ok) strata_keras_parts_finish(parts, odd);
    if (odd[0]) return true;
    ok = ok && (!s->best || strata_keras_parts_write_model(parts, s->best, err)) && strata_keras_parts_write(parts, err);
    if (ok)
        strata_run_folder_prune(s->folder, s->keep);
    else
        tell_newest(s->folder, err);
    return ok;
}

static void *write_all(void *context)
{
    struct saver *s = context;
    strata_thread_give_way();
    pthread_mutex_lock(&s->lock);
    while (!s->stop || s->parts) {
        if (!s->parts) {
            pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        strata_error error = { 0 };
        pthread_mutex_unlock(&s->lock);
        const bool ok = write_if_finite(s, s->parts, s->odd, &error);
        strata_event_free(s->there);
        free(s->best);
        pthread_mutex_lock(&s->lock);
        if (!ok && !s->failed) s->error = error;
        s->failed = s->failed || !ok;
        s->parts = NULL;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

struct saver *strata_saver_start(const struct run_folder *folder, size_t keep, strata_error *err)
{
    struct saver *s = strata_alloc(1, sizeof *s, err);
    if (!s) return NULL;
    s->folder = folder;
    s->keep = keep;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    const int why = strata_thread_start(&s->thread, write_all, s);
    s->started = why == 0;
    if (s->started) return s;
    strata_fail_native(err, STRATA_EMEMORY, why, "the thread that writes checkpoints cannot start: %s", strerror(why));
    strata_saver_stop(s);
    return NULL;
}

void strata_saver_post(struct saver *s, struct keras_parts *parts, char *best, struct event *there)
{
    pthread_mutex_lock(&s->lock);
    while (s->parts) pthread_cond_wait(&s->changed, &s->lock);
    s->parts = parts;
    s->best = best;
    s->there = there;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

bool strata_saver_wait(struct saver *s, char odd[STRATA_ODD_NAME], strata_error *err)
{
    pthread_mutex_lock(&s->lock);
    while (s->parts) pthread_cond_wait(&s->changed, &s->lock);
    const bool failed = s->failed;
    s->failed = false;
    pthread_mutex_unlock(&s->lock);
    memcpy(odd, s->odd, sizeof s->odd);
    if (failed) *err = s->error;
    return !failed;
}

bool strata_saver_failed(struct saver *s)
{
    pthread_mutex_lock(&s->lock);
    const bool failed = s->failed;
    pthread_mutex_unlock(&s->lock);
    return failed;
}

void strata_saver_stop(struct saver *s)
{
    if (!s) return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (s->started) pthread_join(s->thread, NULL);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    free(s);
}
