/* A folder with a folder of pictures a class, as Keras's image_dataset_from_directory reads it. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/thread.h"
#include "data/folder_priv.h"
#include "data/picture.h"
#include "data/sources_priv.h"
#include "data/stream.h"

enum { MOST_THREADS = 16 };

struct folder {
    struct stream stream;
    struct listing listing;  /* the pictures */
    struct image_shape want; /* of samples */
    bool resize;             /* to want; else every picture must be so */
    bool asked_size, asked_channels;
};

/* ---- one picture --------------------------------------------------------------------------------------------------- */

static bool store_resized(const struct folder *f, const struct picture *p, float *out, strata_error *err)
{
    const struct image_shape from = { p->height, p->width, p->channels };
    const size_t count = p->height * p->width * p->channels;
    float *image = strata_alloc(count, sizeof *image, err);
    for (size_t i = 0; image && i < count; i++) image[i] = p->pixels[i];
    if (image) strata_image_resize(&from, image, &f->want, out);
    free(image);
    return image != NULL;
}

static bool store(const struct folder *f, const struct picture *p, void *out, strata_error *err)
{
    if (f->resize) return store_resized(f, p, out, err);
    if (p->height != f->want.height || p->width != f->want.width)
        return strata_fail(err, STRATA_EFILE,
                           "it has %zu x %zu pixels, the first picture %zu x %zu; give a size with \"resize\": "
                           "[height, width]",
                           p->width, p->height, f->want.width, f->want.height);
    memcpy(out, p->pixels, p->height * p->width * p->channels);
    return true;
}

/* out NULL: whether it can be read. */
static bool read_one(const struct folder *f, size_t row, void *out, strata_error *err)
{
    struct picture picture;
    const char *path = f->listing.list[row].path;
    if (!strata_picture_read(path, f->want.channels, &picture, err)) return strata_fail_in(err, "%s", path);
    const bool ok = !out || store(f, &picture, out, err) || strata_fail_in(err, "%s", path);
    strata_picture_free(&picture);
    return ok;
}

/* ---- many, by threads ---------------------------------------------------------------------------------------------- */

/* What threads share. Each takes the next picture until none is left. */
struct work {
    const struct folder *folder;
    const uint32_t *rows; /* NULL: all, in order */
    size_t count, each;
    unsigned char *out;   /* NULL: only look */
    char **why;           /* by picture, when looking: what is wrong with it */
    atomic_size_t next;
    pthread_mutex_t lock; /* of what follows */
    size_t failed;        /* the first that failed; count: none */
    strata_error error;
};

static void note_failure(struct work *w, size_t i, const strata_error *error)
{
    pthread_mutex_lock(&w->lock);
    if (w->why && error->code != STRATA_EMEMORY) {
        strata_error ignored = { 0 };
        w->why[i] = strata_copy_text(error->message, &ignored);
    }
    if (i < w->failed && (!w->why || error->code == STRATA_EMEMORY || !w->why[i])) {
        w->failed = i;
        w->error = *error;
    }
    pthread_mutex_unlock(&w->lock);
}

static void *read_some(void *context)
{
    struct work *w = context;
    for (size_t i; (i = atomic_fetch_add(&w->next, 1)) < w->count;) {
        strata_error error = { 0 };
        if (!read_one(w->folder, w->rows ? w->rows[i] : i, w->out ? w->out + i * w->each : NULL, &error))
            note_failure(w, i, &error);
    }
    return NULL;
}

/* A thread that cannot start is one fewer. */
static bool read_all(struct work *w, strata_error *err)
{
    pthread_t thread[MOST_THREADS];
    const int cores = strata_thread_cores();
    size_t started = 0, most = cores > MOST_THREADS ? MOST_THREADS : (size_t)cores;
    most = most < w->count ? most : w->count;
    pthread_mutex_init(&w->lock, NULL);
    w->failed = w->count;
    while (started + 1 < most && strata_thread_start(&thread[started], read_some, w) == 0) started++;
    read_some(w);
    while (started > 0) pthread_join(thread[--started], NULL);
    pthread_mutex_destroy(&w->lock);
    if (w->failed < w->count) *err = w->error;
    return w->failed == w->count;
}

/* ---- the stream ------------------------------------------------------------------------------------------------------ */

static bool read_rows(struct stream *stream, const uint32_t *rows, size_t count, void *out, strata_error *err)
{
    const struct folder *f = (const struct folder *)stream;
    const size_t numbers = f->want.height * f->want.width * f->want.channels;
    struct work w = { .folder = f, .rows = rows, .count = count, .each = numbers * (f->resize ? sizeof(float) : 1),
                      .out = out };
    return read_all(&w, err);
}

static void free_folder(struct stream *stream)
{
    struct folder *f = (struct folder *)stream;
    strata_listing_free(&f->listing);
    free(f);
}

static void describe(const struct folder *f, struct column *x)
{
    x->type = f->resize ? STRATA_FLOAT32 : STRATA_UINT8;
    x->shape = (struct shape){ 3, { f->want.height, f->want.width, f->want.channels } };
}

static bool suit(struct stream *stream, const size_t shape[3], struct column *x)
{
    struct folder *f = (struct folder *)stream;
    if (!f->asked_channels && (shape[2] == 1 || shape[2] == 3 || shape[2] == 4)) f->want.channels = shape[2];
    if (!f->asked_size) {
        f->resize = true;
        f->want.height = shape[0];
        f->want.width = shape[1];
    }
    describe(f, x);
    return true;
}

static const struct stream_class folder_class = { .read = read_rows, .free = free_folder, .suit = suit };

/* ---- opening --------------------------------------------------------------------------------------------------------- */

/* Takes those that cannot be read out of the listing, and notes why. */
static bool leave_out(struct folder *f, char **why, strata_error *err)
{
    size_t kept = 0, bad = 0;
    f->stream.notes = strata_alloc(f->listing.count + 1, sizeof *f->stream.notes, err);
    for (size_t i = 0; f->stream.notes && i < f->listing.count; i++) {
        const struct listed one = f->listing.list[i];
        struct text text = { 0 };
        f->listing.list[i].path = NULL;
        if (!why[i]) {
            f->listing.list[kept++] = one;
            continue;
        }
        free(one.path);
        strata_text_add(&text, "left out %s", why[i]);
        if (!(f->stream.notes[bad++] = strata_text_take(&text, err))) return false;
    }
    if (f->stream.notes) f->listing.count = kept;
    return f->stream.notes
           && (kept > 0 || strata_fail(err, STRATA_EFILE, "none of its %zu pictures can be read; the first: %s", bad, why[0]));
}

static bool drop_damaged(struct folder *f, strata_error *err)
{
    struct work w = { .folder = f, .count = f->listing.count };
    w.why = strata_alloc(w.count, sizeof *w.why, err);
    const size_t count = w.count;
    const bool ok = w.why && read_all(&w, err) && leave_out(f, w.why, err);
    for (size_t i = 0; w.why && i < count; i++) free(w.why[i]);
    free(w.why);
    return ok;
}

static bool take_first_size(struct folder *f, strata_error *err)
{
    struct picture picture;
    const char *path = f->listing.list[0].path;
    if (!strata_picture_read(path, f->want.channels, &picture, err)) return strata_fail_in(err, "%s", path);
    f->want.height = picture.height;
    f->want.width = picture.width;
    strata_picture_free(&picture);
    return true;
}

static void fingerprint(struct folder *f, size_t length)
{
    for (size_t i = 0; i < f->listing.count; i++) {
        const char *path = f->listing.list[i].path + length;
        f->stream.fingerprint = XXH3_64bits_withSeed(path, strlen(path), f->stream.fingerprint);
    }
}

static bool make_labels(const struct folder *f, struct arrays *arrays, strata_error *err)
{
    arrays->x.count = f->listing.count;
    if (!f->stream.classes) return true;
    int32_t *labels = arrays->y.column.values = strata_alloc(f->listing.count, sizeof *labels, err);
    for (size_t i = 0; labels && i < f->listing.count; i++) labels[i] = f->listing.list[i].label;
    arrays->y.count = f->listing.count;
    arrays->y.column.type = STRATA_INT32;
    return labels != NULL;
}

bool strata_read_folder(const char *path, const struct image_wish *wish, struct arrays *arrays, strata_error *err)
{
    struct folder *f = strata_alloc(1, sizeof *f, err);
    if (!f) return false;
    strata_stream_init(&f->stream, &folder_class);
    arrays->stream = &f->stream;
    f->asked_size = f->resize = wish->height > 0;
    f->asked_channels = wish->channels > 0;
    f->want = (struct image_shape){ wish->height, wish->width, f->asked_channels ? wish->channels : 3 };
    if (!strata_listing_make(&f->listing, path, &f->stream.classes, err)
        || (wish->skip_damaged && !drop_damaged(f, err) && !strata_fail_in(err, "%s", path))
        || (!f->resize && !take_first_size(f, err)) || !make_labels(f, arrays, err))
        return false;
    fingerprint(f, strlen(path));
    describe(f, &arrays->x.column);
    return true;
}
