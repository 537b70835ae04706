#include "training.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "dist/reducer.h"

enum { STEPS = 6, TENSOR = 19, MOST_BUCKETS = 64, ODD_ELEMENT = 517 };

/* One rank's training. */
struct training {
    struct comm *comm;
    struct device *device;
    const struct plan *plan;
    struct buffer *samples, *gradients, *weights, *slots;
    struct run *backward;
    int marks[MOST_BUCKETS];
    struct span buckets[MOST_BUCKETS];
    size_t bucket_count;
    struct span *whole;
    struct reducer *reducer;
    float factor;  /* of the gradient, from the measured norm */
    enum strata_wire wire;
    int fails;     /* this rank's update (1) or measure (2) fails */
    size_t updated; /* elements updated in this step */
    float *w, *m, *host; /* weights and momenta as the host computes them; room for an arena */
};

/* ---- what the owner does ---- */

static bool update(void *context, struct run *run, struct span span, size_t slot, strata_error *err)
{
    struct training *t = context;
    const size_t n = span.end - span.begin;
    if (t->fails == 1 && span.begin > 0) return strata_fail(err, STRATA_EDEVICE, "the update broke on purpose");
    const struct arg args[] = { arg_place(t->weights, span.begin), arg_place(t->gradients, span.begin),
                                arg_place(t->slots, slot), arg_float(0.5 * t->factor), arg_float(0.5), arg_int(0),
                                arg_ulong(n), { 0 } };
    t->updated += n;
    return strata_launch(run, &(struct launch){ .kernel = "optimizer:sgd_momentum", .args = args, .dims = 1,
                                                .global = { n } }, err);
}

static bool measure(void *context, struct run *run, struct span span, double *values, strata_error *err)
{
    struct training *t = context;
    const enum queue_index queue = strata_comm_size(t->comm) > 1 ? QUEUE_COPY : QUEUE_COMPUTE;
    const size_t n = span.end - span.begin;
    if (t->fails == 2) return strata_fail(err, STRATA_EDEVICE, "the measure broke on purpose");
    if (!strata_buffer_read(strata_run_device(run), queue, t->gradients, span.begin * 4, n * 4, t->host, err))
        return false;
    for (size_t i = 0; i < n; i++)
        values[0] += (double)t->host[i] * t->host[i];
    return true;
}

/* A power of two, so that products stay exact. */
static float clip_factor(double squares, double limit)
{
    return limit > 0 && sqrt(squares) > limit ? (float)exp2(-ceil(log2(sqrt(squares) / limit))) : 1;
}

static void measured(void *context, const double *values)
{
    struct training *t = context;
    t->factor = clip_factor(values[0], t->plan->clip);
}

/* ---- set-up ---- */

static float sample(const struct training *t, int rank, int step, size_t i)
{
    return rank == t->plan->idle ? 0 : (float)((int)((i * 7 + (size_t)step * 13 + (size_t)rank * 5) % 17) - 8);
}

/* "Backward": each bucket's gradients are twice the samples, and marked when done. */
static bool record(struct training *t, strata_error *err)
{
    t->backward = strata_run_record(t->device, 0, err);
    for (size_t b = 0; t->backward && b < t->bucket_count; b++) {
        const struct span s = t->buckets[b];
        const struct arg args[] = { arg_place(t->samples, s.begin), arg_place(t->gradients, s.begin), arg_float(2),
                                    arg_float(0), arg_ulong(s.end - s.begin), { 0 } };
        const struct launch launch = { .kernel = "map:affine", .args = args, .dims = 1, .global = { s.end - s.begin } };
        if ((s.end > s.begin && !strata_launch(t->backward, &launch, err))
            || !strata_run_mark(t->backward, &t->marks[b], err))
            return false;
    }
    return t->backward != NULL;
}

static void cut_buckets(struct training *t)
{
    size_t at = 0;
    for (size_t b = 0; b <= t->plan->border_count; b++) {
        t->buckets[b].begin = at;
        t->buckets[b].end = at = b < t->plan->border_count ? t->plan->borders[b] : t->plan->count;
    }
    t->bucket_count = t->plan->border_count + 1;
}

static bool set_up(struct training *t, strata_error *err)
{
    const size_t n = t->plan->count;
    cut_buckets(t);
    if (!(t->w = strata_alloc(n, 4, err)) || !(t->m = strata_alloc(n, 4, err)) || !(t->host = strata_alloc(n, 4, err))
        || !(t->whole = strata_alloc(n / TENSOR + 1, sizeof *t->whole, err))
        || !(t->samples = strata_buffer_create(t->device, 4 * n, err))
        || !(t->gradients = strata_buffer_create(t->device, 4 * n, err))
        || !(t->weights = strata_buffer_create(t->device, 4 * n, err)))
        return false;
    for (size_t i = 0; i < n / TENSOR; i++)
        t->whole[i] = (struct span){ i * TENSOR, (i + 1) * TENSOR };
    const struct reducer_config config = { .weights = t->weights, .gradients = t->gradients, .count = n,
                                           .buckets = t->buckets, .bucket_count = t->bucket_count,
                                           .whole = t->plan->whole ? t->whole : NULL,
                                           .whole_count = t->plan->whole ? n / TENSOR : 0, .wire = t->wire };
    t->reducer = strata_reducer_create(t->comm, t->device, &config, err);
    const size_t owned = t->reducer ? strata_reducer_owned(t->reducer) : 0;
    t->factor = 1;
    return t->reducer && record(t, err) && (t->slots = strata_buffer_create(t->device, 4 * (owned > 0 ? owned : 1), err));
}

static void tear_down(struct training *t)
{
    strata_run_free(t->backward);
    strata_reducer_free(t->reducer);
    strata_buffer_free(t->samples);
    strata_buffer_free(t->gradients);
    strata_buffer_free(t->weights);
    strata_buffer_free(t->slots);
    free(t->whole);
    free(t->w);
    free(t->m);
    free(t->host);
}

/* ---- steps ---- */

/* What all ranks' steps come to. */
static void step_on_host(struct training *t, int step)
{
    const int ranks = strata_comm_size(t->comm);
    double squares = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < t->plan->count; i++) {
            float sum = 0;
            for (int rank = 0; rank < ranks; rank++)
                sum += 2 * sample(t, rank, step, i);
            if (pass == 0) {
                squares += (double)sum * sum;
                continue;
            }
            t->m[i] = 0.5f * t->m[i] - 0.5f * clip_factor(squares, t->plan->clip) * sum;
            t->w[i] += t->m[i];
        }
}

/* The moments before the end: all that is this rank's is updated, then bucket after bucket is there, the last one first.
 * expected NULL: it is not looked at. */
static bool look_early(struct training *t, const float *expected, strata_error *err)
{
    if (!strata_reducer_await_update(t->reducer, err)) return false;
    if (t->updated != strata_reducer_owned(t->reducer))
        return strata_fail(err, STRATA_EVALUE, "%s: the update is not over when it is said to be", t->plan->name);
    for (size_t b = t->bucket_count; b-- > 0;) {
        const struct span s = t->buckets[b];
        const size_t n = s.end - s.begin;
        if (!strata_reducer_await_bucket(t->reducer, b, err)
            || (n > 0 && !strata_buffer_read(t->device, QUEUE_COMPUTE, t->weights, s.begin * 4, n * 4, t->host, err)))
            return false;
        if (!strata_reducer_has_bucket(t->reducer, b) || (expected && memcmp(t->host, expected + s.begin, n * 4) != 0))
            return strata_fail(err, STRATA_EVALUE, "%s: the weights of bucket %zu are not there when they are said to be", t->plan->name, b);
    }
    return true;
}

static bool step_on_device(struct training *t, int step, const float *expected, strata_error *err)
{
    const int rank = strata_comm_rank(t->comm);
    const struct reducer_update u = { .context = t, .update = update, .measure_count = t->plan->clip > 0 ? 1 : 0,
                                      .measure = t->plan->clip > 0 ? measure : NULL, .measured = measured };
    const bool idle = rank == t->plan->idle;
    t->updated = 0;
    for (size_t i = 0; i < t->plan->count; i++)
        t->host[i] = sample(t, rank, step, i);
    if (idle ? !strata_buffer_zero(t->device, QUEUE_COMPUTE, t->gradients, 0, 4 * t->plan->count, err)
                   || !strata_device_finish(t->device, err)
             : !strata_buffer_write(t->device, QUEUE_COMPUTE, t->samples, 0, 4 * t->plan->count, t->host, err)
                   || !strata_run_play(t->backward, err))
        return false;
    const bool early = step % 2 == 1;
    return strata_reducer_start(t->reducer, idle ? NULL : t->backward, t->marks, &u, err)
           && (!early || look_early(t, expected, err)) && strata_reducer_wait(t->reducer, err);
}

static bool same_as_host(struct training *t, const float *expected, const char *what, strata_error *err)
{
    for (size_t i = 0; i < t->plan->count; i++)
        if (memcmp(&t->host[i], &expected[i], 4) != 0)
            return strata_fail(err, STRATA_EVALUE, "%s: %s %zu is %.9g; it must be %.9g", t->plan->name, what, i,
                               t->host[i], expected[i]);
    return true;
}

/* In stretches that begin and end in the middle of what a rank owns. */
static bool collect(struct training *t, strata_error *err)
{
    const size_t n = t->plan->count, cut[] = { 0, n / 5, n / 2, n };
    struct stretch stretches[3];
    for (int i = 0; i < 3; i++)
        stretches[i] = (struct stretch){ cut[i], cut[i + 1] - cut[i], t->host + cut[i] };
    return strata_device_finish(t->device, err)
           && strata_reducer_collect(t->reducer, t->slots, stretches, strata_comm_rank(t->comm) == 0 ? 3 : 0, err)
           && strata_device_finish(t->device, err);
}

static bool check_slots(struct training *t, strata_error *err)
{
    const bool root = strata_comm_rank(t->comm) == 0;
    if (!collect(t, err)
        || !strata_comm_agree(t->comm, !root || same_as_host(t, t->m, "momentum", err), err))
        return false;
    /* out and in again is the same; out once more proves it */
    for (size_t i = 0; i < t->plan->count; i++)
        t->host[i] = root ? (float)i : -1;
    if (!strata_reducer_distribute(t->reducer, t->slots, root ? t->host : NULL, err)) return false;
    memset(t->host, 0, 4 * t->plan->count);
    if (!collect(t, err)) return false;
    for (size_t i = 0; root && i < t->plan->count; i++)
        t->m[i] = (float)i;
    return strata_comm_agree(t->comm, !root || same_as_host(t, t->m, "distributed slot", err), err);
}

static bool train(struct training *t, strata_error *err)
{
    for (int step = 0; step < STEPS; step++) {
        step_on_host(t, step);
        bool ok = step_on_device(t, step, t->w, err);
        if (ok && t->updated != strata_reducer_owned(t->reducer))
            ok = strata_fail(err, STRATA_EVALUE, "%s: %zu updated of %zu owned", t->plan->name, t->updated,
                             strata_reducer_owned(t->reducer));
        ok = ok && strata_buffer_read(t->device, QUEUE_COMPUTE, t->weights, 0, 4 * t->plan->count, t->host, err)
             && same_as_host(t, t->w, "weight", err);
        if (!strata_comm_agree(t->comm, ok, err)) return false;
    }
    double owned = (double)strata_reducer_owned(t->reducer);
    if (!strata_comm_same(t->comm, "weights", t->host, 4 * t->plan->count, err)
        || !strata_comm_sum(t->comm, &owned, 1, err))
        return false;
    if (owned != (double)t->plan->count)
        return strata_fail(err, STRATA_EVALUE, "%s: %g of %zu elements are owned", t->plan->name, owned,
                           t->plan->count);
    return check_slots(t, err);
}

bool train_like_host(struct comm *comm, struct device *device, const struct plan *plan, enum strata_wire wire,
                     strata_error *err)
{
    struct training t = { .comm = comm, .device = device, .plan = plan, .wire = wire };
    const bool ok = strata_comm_agree(comm, set_up(&t, err), err) && train(&t, err);
    tear_down(&t);
    return ok;
}

/* step: the failing one; an odd one fails while somebody looks early. */
static bool step_fails(struct comm *comm, struct device *device, int rank, bool in_measure, int step, strata_error *err)
{
    static const size_t borders[] = { 200, 400, 600, 800 };
    const struct plan plan = { "failing", 1000, borders, 4, false, in_measure ? 1 : 0, -1 };
    struct training t = { .comm = comm, .device = device, .plan = &plan };
    bool ok = strata_comm_agree(comm, set_up(&t, err), err);
    if (strata_comm_rank(comm) == rank) t.fails = in_measure ? 2 : 1;
    strata_error failure = { 0 };
    char start[64];
    snprintf(start, sizeof start, "rank %d on ", rank);
    if (ok && (step_on_device(&t, step, NULL, &failure) || !strata_reducer_has_failed(t.reducer)))
        ok = strata_fail(err, STRATA_EVALUE, "the failure of rank %d went unseen", rank);
    else if (ok && (failure.code != STRATA_EDEVICE || !strstr(failure.message, "broke on purpose")
                    || (strata_comm_size(comm) > 1 && strncmp(failure.message, start, strlen(start)) != 0)))
        ok = strata_fail(err, STRATA_EVALUE, "another failure than that of rank %d: %s", rank, failure.message);
    t.fails = 0;
    ok = strata_comm_agree(comm, ok, err);
    if (ok) ok = strata_comm_agree(comm, step_on_device(&t, step + 1, NULL, err), err); /* and a next step goes */
    tear_down(&t);
    return ok;
}

bool failure_is_shared(struct comm *comm, struct device *device, int rank, bool in_measure, strata_error *err)
{
    return step_fails(comm, device, rank, in_measure, 0, err) && step_fails(comm, device, rank, in_measure, 1, err);
}

/* Steps without backward: every gradient is `value`, and one of this rank's is `odd`. */
static bool step_with_odd(struct training *t, float value, float odd, strata_error *err)
{
    const struct reducer_update u = { .context = t, .update = update };
    for (size_t i = 0; i < t->plan->count; i++)
        t->host[i] = i == ODD_ELEMENT ? odd : value;
    return strata_buffer_write(t->device, QUEUE_COMPUTE, t->gradients, 0, 4 * t->plan->count, t->host, err)
        && strata_reducer_start(t->reducer, NULL, NULL, &u, err) && strata_reducer_await_update(t->reducer, err)
        && strata_reducer_wait(t->reducer, err);
}

/* One rank, the owner, saw it, and in the next step all know that there is one. */
static bool is_named(struct training *t, int rank, strata_error *err)
{
    const struct oddity odd = strata_reducer_odd(t->reducer);
    const bool right = odd.element == ODD_ELEMENT && (odd.rank == rank || (odd.others && (rank < 0 || odd.rank < rank)));
    double found[] = { odd.found, odd.found && right, strata_reducer_heard_odd(t->reducer) };
    if (!strata_comm_sum(t->comm, found, 3, err)) return false;
    if (found[0] == 1 && found[1] == 1 && found[2] == strata_comm_size(t->comm)) return true;
    return strata_fail(err, STRATA_EVALUE, "%g ranks saw an odd gradient of rank %d, %g where it was, and %g heard of it", found[0], rank,
                       found[1], found[2]);
}

bool odd_gradient_is_named(struct comm *comm, struct device *device, int rank, strata_error *err)
{
    static const size_t borders[] = { 200, 400, 600, 800 };
    const struct plan plan = { "odd", 1000, borders, 4, false, 0, -1 };
    struct training t = { .comm = comm, .device = device, .plan = &plan };
    bool ok = strata_comm_agree(comm, set_up(&t, err), err) && step_with_odd(&t, 1, 1, err);
    if (ok && (strata_reducer_odd(t.reducer).found || strata_reducer_heard_odd(t.reducer)))
        ok = strata_fail(err, STRATA_EVALUE, "finite gradients are odd");
    const float odd = rank < 0 ? 3e38F : strata_comm_rank(comm) == rank ? NAN : 1;
    ok = strata_comm_agree(comm, ok, err) && step_with_odd(&t, 1, odd, err) && step_with_odd(&t, 1, 1, err) && is_named(&t, rank, err);
    tear_down(&t);
    return ok;
}

bool train_for_ever(struct comm *comm, struct device *device, strata_error *err)
{
    static const size_t borders[] = { 100000, 200000 };
    const struct plan plan = { "for ever", 300000, borders, 2, false, 0, -1 };
    struct training t = { .comm = comm, .device = device, .plan = &plan };
    bool ok = strata_comm_agree(comm, set_up(&t, err), err);
    for (int step = 0; ok; step++) {
        ok = step_on_device(&t, step, NULL, err);
        if (step == 3 && strata_comm_rank(comm) == 0) {
            puts("training");
            fflush(stdout);
        }
    }
    tear_down(&t);
    return false;
}

/* ---- time ---- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool time_steps(struct comm *comm, struct device *device, size_t count, size_t buckets, double *milliseconds,
                strata_error *err)
{
    size_t borders[MOST_BUCKETS];
    double times[9];
    for (size_t b = 0; b + 1 < buckets; b++)
        borders[b] = count / buckets * (b + 1);
    const struct plan plan = { "timed", count, borders, buckets - 1, false, 0, -1 };
    struct training t = { .comm = comm, .device = device, .plan = &plan };
    const struct reducer_update u = { .context = &t, .update = update };
    bool ok = strata_comm_agree(comm, set_up(&t, err), err);
    for (int i = -2; ok && i < 9; i++) {
        double nothing = 0;
        ok = strata_comm_sum(comm, &nothing, 1, err); /* all begin together */
        const double from = now();
        ok = ok && strata_reducer_start(t.reducer, NULL, NULL, &u, err) && strata_reducer_wait(t.reducer, err)
             && strata_device_finish(device, err);
        if (i >= 0) times[i] = now() - from;
    }
    qsort(times, 9, sizeof times[0], by_size);
    *milliseconds = times[4];
    tear_down(&t);
    return ok;
}
