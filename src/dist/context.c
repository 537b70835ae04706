#include "dist/context.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/memory.h"
#include "device/compilers.h"
#include "device/peak.h"
#include "device/profile.h"
#include "dist/comm_priv.h"
#include "dist/tuning.h"
#include "ops/measure.h"

struct strata_context {
    struct comm *comm;
    struct device *device;
    char *warning; /* owned; NULL: none */
    size_t memory; /* bytes that may be taken; 0: no limit */
    void (*note)(void *note_context, const char *message);
    void *note_context;
};

/* Which cores a rank was bound to, and on which node. */
struct place {
    int node, local_rank;
    uint64_t binding;
};

/* The bindings of this node's ranks, by local rank. */
static bool gather_bindings(struct comm *comm, uint64_t **bindings, strata_error *err)
{
    const struct place mine = { comm->node, comm->local_rank, strata_process_binding() };
    struct place *all = strata_alloc((size_t)comm->size, sizeof *all, err);
    *bindings = all ? strata_alloc((size_t)comm->local_size, sizeof **bindings, err) : NULL;
    const bool ok = strata_comm_agree(comm, *bindings != NULL, err)
                    && strata_comm_gather(comm, &mine, sizeof mine, all, err);
    for (int i = 0; ok && i < comm->size; i++)
        if (all[i].node == comm->node) (*bindings)[all[i].local_rank] = all[i].binding;
    free(all);
    return ok;
}

static bool open_device(strata_context *context, const strata_context_config *config, strata_error *err)
{
    uint64_t *bindings = NULL;
    if (!gather_bindings(context->comm, &bindings, err)) {
        free(bindings);
        return false;
    }
    const struct device_request request = { .devices = config->devices, .local_rank = context->comm->local_rank,
                                            .local_size = context->comm->local_size, .class = -1,
                                            .bindings = bindings, .profile = config->profile,
                                            .compiler = config->compiler };
    strata_comm_work(context->comm, "opening its device", 0);
    context->device = strata_device_open(&request, err);
    strata_comm_phase(context->comm, "starting", 0);
    free(bindings);
    if (context->device) strata_comm_describe(context->comm, strata_device_text(context->device), context->device);
    return strata_comm_agree(context->comm, context->device != NULL, err)
           && strata_tuning_load(context->comm, context->device, &context->warning, err);
}

/* A launcher ends all ranks as soon as one leaves with an error, so rank 0 goes first: it tells the user which. */
static void let_rank_0_speak(int rank)
{
    if (rank > 0) nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
}

strata_context *strata_context_create(const strata_context_config *config, strata_error *err)
{
    static const strata_context_config defaults;
    struct comm *comm = strata_comm_create(err);
    if (!comm) return NULL;
    if (!config) config = &defaults;
    strata_context *context = strata_alloc(1, sizeof *context, err);
    bool ok = context != NULL;
    ok = ok && strata_fault_check(err);
    if (ok && config->failed) {
        *err = *config->failed;
        ok = false;
    }
    if (context) context->comm = comm;
    if (strata_comm_agree(comm, ok, err) && open_device(context, config, err)) return context;
    const int rank = comm->rank;
    if (context)
        strata_context_free(context);
    else
        strata_comm_free(comm);
    let_rank_0_speak(rank);
    return NULL;
}

int strata_compile_kernels(void)
{
    return strata_compilers_serve();
}

void strata_context_free(strata_context *context)
{
    if (!context) return;
    strata_comm_describe(context->comm, "", NULL);
    strata_comm_work(context->comm, "closing its device", 0);
    strata_device_close(context->device);
    strata_comm_free(context->comm);
    free(context->warning);
    free(context);
}

int strata_context_rank(const strata_context *context)
{
    return context->comm->rank;
}

int strata_context_size(const strata_context *context)
{
    return context->comm->size;
}

const char *strata_context_device(const strata_context *context)
{
    return strata_device_text(context->device);
}

void strata_context_limit_memory(strata_context *context, size_t bytes,
                                 void (*note)(void *note_context, const char *message), void *note_context)
{
    context->memory = bytes;
    context->note = note;
    context->note_context = note_context;
}

size_t strata_context_memory(const strata_context *context, void (**note)(void *note_context, const char *message),
                             void **note_context)
{
    *note = context->note;
    *note_context = context->note_context;
    return context->memory;
}

const char *strata_context_warning(const strata_context *context)
{
    return context->warning;
}

bool strata_context_agree(strata_context *context, bool ok, strata_error *err)
{
    return strata_comm_agree(context->comm, ok, err);
}

void strata_context_abort(strata_context *context, const strata_error *err)
{
    strata_comm_abort(context->comm, err);
}

bool strata_context_peak(strata_context *context, strata_peak *peak, strata_error *err)
{
    strata_peak own = { 0 };
    const bool ok = strata_device_peak(context->device, &own, err);
    double rates[2] = { own.flops, own.bytes };
    if (!strata_comm_agree(context->comm, ok, err) || !strata_comm_sum(context->comm, rates, 2, err)) return false;
    *peak = (strata_peak){ rates[0], rates[1] };
    return true;
}

/* A product of each kind, and a block in registers. */
static bool time_once(struct meter *meter, struct peak_meter *registers, size_t size, double rates[5], strata_error *err)
{
    bool ok = strata_peak_meter_flops(registers, &rates[4], err);
    for (int i = 0; ok && i < 4; i++) {
        const struct request request = { .kind = REQUEST_GEMM,
                                         .gemm = { .m = size, .n = size, .k = size, .transpose_a = i / 2, .transpose_b = i % 2 } };
        double seconds = 0;
        ok = strata_meter_default(meter, &request, &seconds, err);
        rates[i] = 2 * (double)size * (double)size * (double)size / seconds;
    }
    return ok;
}

/* By turns, so that a machine that is slower at times is so for all of them; the best of each counts. */
static bool time_products(struct device *device, size_t size, double best[5], strata_error *err)
{
    enum { TURNS = 12 };
    const size_t most = 1 << 15;
    const struct request request = { .kind = REQUEST_GEMM, .gemm = { .m = size, .n = size, .k = size } };
    if (size > most)
        return strata_fail(err, STRATA_EVALUE, "products of %zu x %zu matrices; %zu is the most", size, size, most);
    struct meter *meter = strata_meter_create(device, &request, 1, err);
    struct peak_meter *registers = meter ? strata_peak_meter_create(device, err) : NULL;
    bool ok = registers != NULL;
    for (int turn = 0; ok && turn < TURNS; turn++) {
        double rates[5] = { 0 };
        ok = time_once(meter, registers, size, rates, err);
        for (int i = 0; i < 5; i++) best[i] = fmax(best[i], rates[i]);
    }
    strata_peak_meter_free(registers);
    strata_meter_free(meter);
    return ok;
}

bool strata_context_products(strata_context *context, size_t size, double flops[4], double *peak, strata_error *err)
{
    double best[5] = { 0 };
    const bool ok = time_products(context->device, size, best, err);
    if (!strata_comm_agree(context->comm, ok, err) || !strata_comm_sum(context->comm, best, 5, err)) return false;
    memcpy(flops, best, 4 * sizeof *best);
    *peak = best[4];
    return true;
}

const strata_profile *strata_context_profile(strata_context *context, strata_error *err)
{
    static const strata_profile nothing;
    struct profile *profile = strata_device_profile(context->device);
    if (!strata_device_finish(context->device, err)) return NULL;
    return profile ? strata_profile_read(profile, err) : &nothing;
}

bool strata_context_profile_reset(strata_context *context, strata_error *err)
{
    struct profile *profile = strata_device_profile(context->device);
    return !profile || strata_profile_reset(profile, err);
}

struct comm *strata_context_comm(const strata_context *context)
{
    return context->comm;
}

struct device *strata_context_device_of(const strata_context *context)
{
    return context->device;
}
