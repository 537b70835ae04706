#include "data/batches.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"
#include "data/labels_priv.h"
#include "device/profile.h"

enum { AHEAD = 2, SLOTS = AHEAD + 1 }; /* the reader holds one while the next two are made */

struct slot {
    struct batch batch;
    void *x, *y;       /* owned, of room for the largest slice */
    float *weight;     /* owned; NULL when no sample is weighted */
    uint32_t *sample;  /* owned */
    bool failed;
    strata_error error;
};

struct batches {
    struct batches_config config;
    struct share share;
    double *speeds;       /* owned copy of what share points to */
    double *class_weight; /* likewise of config */
    uint64_t position;    /* of the next batch to be made, in batches since the start of the first epoch */
    uint64_t most;        /* batches to be made in all */
    struct slot slot[SLOTS];
    uint64_t made, taken; /* guarded by lock: batches that were made, and those given back by the reader */
    bool stop, holding;   /* stop is guarded by lock; holding is the reader's */
    bool started;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

/* Batches of one pass over the data. */
static size_t pass_steps(const struct batches_config *config)
{
    const size_t n = config->data->count;
    return n / config->global_batch + (n % config->global_batch > 0);
}

size_t strata_batches_steps(const struct batches_config *config)
{
    return config->steps_per_epoch > 0 ? config->steps_per_epoch : pass_steps(config);
}

/* ---- making a batch -------------------------------------------------------------------------------------------- */

/* Where a batch lies: samples [from, from + count) of a pass over the data. Passes, not epochs, are what is shuffled:
 * with steps_per_epoch an epoch may end inside one. */
struct where {
    uint32_t pass;
    size_t from, count;
};

static struct where find(const struct batches *b, uint64_t position)
{
    const size_t steps = pass_steps(&b->config), n = b->config.data->count;
    const size_t from = (size_t)(position % steps) * b->config.global_batch;
    const size_t left = n - from;
    return (struct where){ (uint32_t)(position / steps), from,
                           left < b->config.global_batch ? left : b->config.global_batch };
}

static uint32_t sample_at(const struct batches *b, const struct where *where, size_t i)
{
    const struct random_key key = { .seed = b->config.seed, .purpose = RANDOM_ORDER, .epoch = where->pass };
    const size_t at = where->from + i;
    return (uint32_t)(b->config.shuffle ? strata_random_permute(&key, at, b->config.data->count) : at);
}

static bool copy_slice(const struct batches *b, const struct where *where, struct slot *slot, strata_error *err)
{
    const strata_data *data = b->config.data;
    const size_t y_bytes = strata_shape_count(&data->y.shape) * strata_type_size(b->config.y_type);
    for (size_t i = 0; i < slot->batch.count; i++) {
        const uint32_t sample = sample_at(b, where, slot->batch.first + i);
        slot->sample[i] = sample;
        if (slot->y && !strata_label_copy(data, b->config.y_type, sample, (char *)slot->y + i * y_bytes, err))
            return false;
    }
    return strata_data_read_x(data, slot->sample, slot->batch.count, slot->x, err);
}

/* Every rank adds up the weights of the whole global batch, in the same order: so all divide by the same number without
 * a word between them. */
static bool weigh(const struct batches *b, const struct where *where, struct slot *slot, strata_error *err)
{
    const size_t first = slot->batch.first, end = first + slot->batch.count;
    if (!slot->weight) {
        slot->batch.global_weight = (double)where->count;
        return true;
    }
    double sum = 0;
    for (size_t i = 0; i < where->count; i++) {
        float weight;
        if (!strata_sample_weight(&b->config, sample_at(b, where, i), &weight, err))
            return false;
        sum += weight;
        if (i >= first && i < end)
            slot->weight[i - first] = weight;
    }
    slot->batch.global_weight = sum;
    return true;
}

static bool make(const struct batches *b, uint64_t position, struct slot *slot, strata_error *err)
{
    const struct where where = find(b, position);
    const size_t steps = strata_batches_steps(&b->config);
    slot->batch = (struct batch){ .epoch = (size_t)(position / steps), .step = (size_t)(position % steps),
                                  .global_count = where.count, .x = slot->x, .y = slot->y,
                                  .weight = slot->weight, .sample = slot->sample };
    strata_share(&b->share, where.count, &slot->batch.first, &slot->batch.count);
    return copy_slice(b, &where, slot, err) && weigh(b, &where, slot, err);
}

static void *make_all(void *context)
{
    struct batches *b = context;
    pthread_mutex_lock(&b->lock);
    while (!b->stop) {
        if (b->made - b->taken >= SLOTS || b->made == b->most) {
            pthread_cond_wait(&b->changed, &b->lock);
            continue;
        }
        struct slot *slot = &b->slot[b->made % SLOTS];
        pthread_mutex_unlock(&b->lock);
        const double start = strata_clock();
        slot->error = (strata_error){ 0 };
        slot->failed = !make(b, b->position, slot, &slot->error);
        b->position++;
        strata_profile_host(b->config.profile, PROFILE_DATA, "batch", start);
        pthread_mutex_lock(&b->lock);
        b->made++;
        b->stop = b->stop || slot->failed;
        pthread_cond_broadcast(&b->changed);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

/* ---- start, next, stop ----------------------------------------------------------------------------------------- */

static bool check(const struct batches_config *config, size_t step, strata_error *err)
{
    if (config->global_batch == 0)
        return strata_fail(err, STRATA_EVALUE, "batch_size is 0; it must be at least 1");
    if (config->data->count == 0)
        return strata_fail(err, STRATA_EVALUE, "%s: there are no samples", config->data->name);
    if (step >= strata_batches_steps(config))
        return strata_fail(err, STRATA_EVALUE, "step %zu is past the end of an epoch of %zu steps", step,
                           strata_batches_steps(config));
    return true;
}

static bool copy_doubles(const double *from, size_t count, double **to, strata_error *err)
{
    if (!from)
        return true;
    *to = strata_alloc(count, sizeof **to, err);
    if (*to)
        memcpy(*to, from, count * sizeof **to);
    return *to != NULL;
}

/* The last batch of a pass is smaller, but rounding may give this rank more of it. */
static size_t largest_slice(const struct batches *b)
{
    const size_t n = b->config.data->count, batch = b->config.global_batch < n ? b->config.global_batch : n;
    size_t first, most, last;
    strata_share(&b->share, batch, &first, &most);
    strata_share(&b->share, n % batch, &first, &last);
    return most > last ? most : last;
}

static bool make_room(struct batches *b, strata_error *err)
{
    const strata_data *data = b->config.data;
    const size_t room = largest_slice(b);
    for (int i = 0; i < SLOTS; i++) {
        struct slot *slot = &b->slot[i];
        if (!(slot->x = strata_alloc(room, strata_shape_count(&data->x.shape) * strata_type_size(data->x.type), err))
            || !(slot->sample = strata_alloc(room, sizeof *slot->sample, err))
            || (data->y.values && !b->config.x_alone
                && !(slot->y = strata_alloc(room, strata_shape_count(&data->y.shape)
                                                      * strata_type_size(b->config.y_type), err)))
            || ((data->sample_weight.values || b->class_weight) && !b->config.x_alone
                && !(slot->weight = strata_alloc(room, sizeof *slot->weight, err))))
            return false;
    }
    return true;
}

static bool start_thread(struct batches *b, strata_error *err)
{
    const int why = strata_thread_start(&b->thread, make_all, b);
    if (why != 0)
        return strata_fail_native(err, STRATA_EMEMORY, why, "the thread that prepares batches cannot start: %s",
                                  strerror(why));
    b->started = true;
    return true;
}

struct batches *strata_batches_start(const struct batches_config *config, const struct share *share, size_t epoch,
                                     size_t step, strata_error *err)
{
    assert(config->y_type == STRATA_FLOAT32 || config->y_type == STRATA_INT32);
    if (!check(config, step, err))
        return NULL;
    struct batches *b = strata_alloc(1, sizeof *b, err);
    if (!b)
        return NULL;
    b->config = *config;
    b->share = *share;
    b->position = (uint64_t)epoch * strata_batches_steps(config) + step;
    b->most = config->end == 0 ? UINT64_MAX : config->end > b->position ? config->end - b->position : 0;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    bool ok = copy_doubles(share->speeds, (size_t)share->size, &b->speeds, err)
              && copy_doubles(config->class_weight, config->class_weights, &b->class_weight, err);
    b->share.speeds = b->speeds;
    b->config.class_weight = b->class_weight;
    ok = ok && make_room(b, err) && start_thread(b, err);
    if (ok)
        return b;
    strata_batches_stop(b);
    return NULL;
}

bool strata_batches_next(struct batches *b, struct batch *batch, strata_error *err)
{
    pthread_mutex_lock(&b->lock);
    if (b->holding)
        b->taken++;
    b->holding = true;
    pthread_cond_broadcast(&b->changed);
    assert(b->taken < b->most);
    while (b->made == b->taken)
        pthread_cond_wait(&b->changed, &b->lock);
    const struct slot *slot = &b->slot[b->taken % SLOTS];
    b->holding = !slot->failed; /* a failure stays where it is, and every later call finds it */
    pthread_mutex_unlock(&b->lock);
    if (slot->failed) {
        *err = slot->error;
        return false;
    }
    *batch = slot->batch;
    return true;
}

void strata_batches_stop(struct batches *b)
{
    if (!b)
        return;
    pthread_mutex_lock(&b->lock);
    b->stop = true;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
    if (b->started)
        pthread_join(b->thread, NULL);
    pthread_mutex_destroy(&b->lock);
    pthread_cond_destroy(&b->changed);
    for (int i = 0; i < SLOTS; i++) {
        free(b->slot[i].x);
        free(b->slot[i].y);
        free(b->slot[i].weight);
        free(b->slot[i].sample);
    }
    free(b->speeds);
    free(b->class_weight);
    free(b);
}
