/* What a job of several ranks does, as a program for mpirun: see tests/e2e/dist.sh.
 *
 *   test-ranks check            everything that must hold for any number of ranks; prints "ok" on rank 0
 *   test-ranks disagree         the last rank holds another job
 *   test-ranks fail             the last rank failed before there is a context
 *   test-ranks device           the last rank asks for a device that is not there
 *   test-ranks abort            the last rank ends the job while the others wait for it
 *   test-ranks broken           a call of MPI fails on the first rank, which then asks for more
 *   test-ranks endless          trains until something ends it
 *   test-ranks time FLOATS BUCKETS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dist/comm_priv.h"
#include "dist/context.h"
#include "training.h"

static bool wrong(strata_error *err, const char *what)
{
    return strata_fail(err, STRATA_EVALUE, "%s", what);
}

/* ---- ranks ---- */

static bool combines(struct comm *comm, strata_error *err)
{
    const int rank = strata_comm_rank(comm), size = strata_comm_size(comm);
    double sum[] = { rank + 1, 0.1 * (rank + 1), 1 }, max[] = { rank, -rank }, tenths = 0;
    int all[64], text = rank == size - 1 ? 42 : 0;
    if (!strata_comm_sum(comm, sum, 3, err) || !strata_comm_max(comm, max, 2, err)
        || !strata_comm_gather(comm, &rank, sizeof rank, all, err)
        || !strata_comm_broadcast(comm, &text, sizeof text, size - 1, err))
        return false;
    for (int i = 0; i < size; i++) {
        tenths += 0.1 * (i + 1);
        if (all[i] != i) return wrong(err, "gather is out of order");
    }
    if (sum[0] != size * (size + 1) / 2 || sum[1] != tenths || sum[2] != size) return wrong(err, "wrong sum");
    if (max[0] != size - 1 || max[1] != 0) return wrong(err, "wrong maximum");
    if (text != 42) return wrong(err, "wrong broadcast");
    return strata_comm_same(comm, "sums", sum, sizeof sum, err);
}

/* Every rank in turn is the odd one. */
static bool names_the_odd_rank(struct comm *comm, strata_error *err)
{
    const int rank = strata_comm_rank(comm), size = strata_comm_size(comm);
    char expected[64];
    for (int odd = 0; size > 1 && odd < size; odd++) {
        strata_error told = { 0 };
        const int value = rank == odd;
        const bool same = strata_comm_same(comm, "seed", &value, sizeof value, &told);
        snprintf(expected, sizeof expected, "same seed: rank %d on ", size == 2 ? 1 : odd);
        if (same || told.code != STRATA_EDISAGREE || !strstr(told.message, expected)) return wrong(err, told.message);
        told = (strata_error){ 0 };
        if (rank == odd) strata_fail_native(&told, STRATA_EFILE, 5, "it is not there");
        if (strata_comm_agree(comm, rank != odd, &told) || told.code != STRATA_EFILE || told.native != 5)
            return wrong(err, "agree lost an error");
        snprintf(expected, sizeof expected, "rank %d on ", odd);
        if (strncmp(told.message, expected, strlen(expected)) != 0 || !strstr(told.message, ": it is not there"))
            return wrong(err, told.message);
    }
    return strata_comm_same(comm, "seed", "1", 1, err) && strata_comm_agree(comm, true, err);
}

static bool broadcasts_much(struct comm *comm, strata_error *err)
{
    enum { COUNT = 3000000 };
    int *numbers = calloc(COUNT, sizeof *numbers);
    for (int i = 0; strata_comm_rank(comm) == 0 && i < COUNT; i++)
        numbers[i] = i;
    bool ok = strata_comm_broadcast(comm, numbers, COUNT * sizeof *numbers, 0, err);
    for (int i = 0; ok && i < COUNT; i++)
        if (numbers[i] != i) ok = wrong(err, "wrong long broadcast");
    free(numbers);
    return ok;
}

/* ---- the reducer ---- */

static bool reduces(struct comm *comm, struct device *device, enum strata_wire wire, strata_error *err)
{
    static const size_t two[] = { 500 }, tensors[] = { 190, 380, 380, 1900 }, tiny[] = { 1, 2, 3, 20, 21, 500, 999 };
    const struct plan plans[] = {
        { "one bucket", 1000, NULL, 0, false, 0, -1 },
        { "two buckets", 1003, two, 1, false, 0, -1 },
        { "tiny and empty buckets", 1000, tiny, 7, false, 0, 0 },
        { "whole tensors", 2000, tensors, 4, true, 0, -1 },
        { "fewer elements than ranks", 3, NULL, 0, false, 0, -1 },
        { "clipped", 1500, two, 1, false, 100, -1 },
        { "clipped, one rank idle", 2000, tensors, 4, true, 100, 0 },
        { "the last rank idle", 1000, tiny, 7, false, 0, strata_comm_size(comm) - 1 },
    };
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++)
        if (!train_like_host(comm, device, &plans[i], wire, err)) return strata_fail_in(err, "%s", plans[i].name);
    return true;
}

/* As if ranks were on other nodes: rank r on node r / each % nodes. What the sums are made of has few enough bits for any wire. */
struct layout {
    const char *name;
    int each, nodes;
    enum strata_wire last; /* of the wires that are tried */
};

static int node_of(const struct layout *layout, int rank)
{
    return rank / layout->each % layout->nodes;
}

static bool split(struct comm *comm, void *context, strata_error *err)
{
    const struct layout *layout = context;
    const int node = node_of(layout, comm->rank);
    comm->local_rank = comm->local_size = 0;
    for (int rank = comm->size - 1; rank >= 0; rank--) {
        if (node_of(layout, rank) != node) continue;
        comm->node = rank;
        comm->local_size++;
        comm->local_rank += rank < comm->rank;
    }
    return strata_comm_check(comm, MPI_Comm_split(comm->world, node, comm->rank, &comm->local), "MPI_Comm_split", err);
}

static bool unsplit(struct comm *comm, void *context, strata_error *err)
{
    return strata_comm_check(comm, MPI_Comm_free(context), "MPI_Comm_free", err);
}

static bool reduces_apart(struct comm *comm, struct device *device, strata_error *err)
{
    struct layout layouts[] = { { "each alone", 1, 64, STRATA_WIRE_BF16 }, { "two to a node", 2, 64, STRATA_WIRE_FP16 },
                                { "by turns on two nodes", 1, 2, STRATA_WIRE_FLOAT },
                                { "three and the rest", 3, 2, STRATA_WIRE_FLOAT } };
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof layouts / sizeof *layouts; i++) {
        const MPI_Comm local = comm->local;
        const int rank = comm->local_rank, size = comm->local_size, node = comm->node;
        ok = comm->size == 1 || strata_comm_do(comm, split, &layouts[i], err);
        for (enum strata_wire wire = STRATA_WIRE_FLOAT; ok && wire <= layouts[i].last; wire++)
            ok = reduces(comm, device, wire, err);
        if (!ok) return strata_fail_in(err, "%s", layouts[i].name);
        ok = comm->size == 1 || strata_comm_do(comm, unsplit, &comm->local, err);
        comm->local = local;
        comm->local_rank = rank;
        comm->local_size = size;
        comm->node = node;
    }
    return ok;
}

static bool shares_failures(struct comm *comm, struct device *device, strata_error *err)
{
    for (int rank = strata_comm_size(comm) > 1 ? 1 : 0; rank < strata_comm_size(comm); rank++)
        if (!failure_is_shared(comm, device, rank, strata_comm_size(comm) == 1, err)
            || !failure_is_shared(comm, device, rank, true, err))
            return false;
    return true;
}

static bool names_odd_gradients(struct comm *comm, struct device *device, strata_error *err)
{
    bool ok = true;
    for (int rank = -1; ok && strata_comm_size(comm) > 1 && rank < strata_comm_size(comm); rank++)
        ok = odd_gradient_is_named(comm, device, rank, err);
    return ok;
}

static bool check(strata_context *context, strata_error *err)
{
    struct comm *comm = strata_context_comm(context);
    struct device *device = strata_context_device_of(context);
    const bool ok = combines(comm, err) && names_the_odd_rank(comm, err) && broadcasts_much(comm, err)
                    && reduces(comm, device, STRATA_WIRE_FLOAT, err) && reduces_apart(comm, device, err)
                    && shares_failures(comm, device, err) && names_odd_gradients(comm, device, err);
    if (ok && strata_comm_rank(comm) == 0) printf("ok with %d ranks\n", strata_comm_size(comm));
    return ok;
}

/* ---- what goes wrong ---- */

static bool is_last(struct comm *comm)
{
    return strata_comm_rank(comm) == strata_comm_size(comm) - 1;
}

static bool disagree(strata_context *context, strata_error *err)
{
    struct comm *comm = strata_context_comm(context);
    const char *job = is_last(comm) ? "{\"seed\": 2}" : "{\"seed\": 1}";
    return strata_comm_same(comm, "job", job, strlen(job), err);
}

static bool end_all(strata_context *context, strata_error *err)
{
    struct comm *comm = strata_context_comm(context);
    double nothing = 0;
    if (is_last(comm)) {
        strata_fail(err, STRATA_EMEMORY, "nothing is left");
        strata_context_abort(context, err);
    }
    return strata_comm_sum(comm, &nothing, 1, err) && strata_comm_sum(comm, &nothing, 1, err);
}

static bool break_mpi(struct comm *comm, void *context, strata_error *err)
{
    (void)context;
    return strata_comm_check(comm, MPI_ERR_OTHER, "breaking", err);
}

/* The others are not asked, so that whoever calls MPI again waits for ever. */
static bool stays_broken(strata_context *context, strata_error *err)
{
    struct comm *comm = strata_context_comm(context);
    strata_error again = { 0 };
    double nothing = 0;
    if (strata_comm_rank(comm) > 0) return true;
    if (strata_comm_do(comm, break_mpi, NULL, err)) return wrong(err, "MPI did not fail");
    if (strata_comm_agree(comm, true, &again) || strcmp(again.message, err->message) != 0 || again.code != err->code
        || strata_comm_sum(comm, &nothing, 1, &again) || strcmp(again.message, err->message) != 0)
        return wrong(err, "MPI is called after it failed");
    return false;
}

static bool take_time(strata_context *context, char **argv, strata_error *err)
{
    struct comm *comm = strata_context_comm(context);
    double milliseconds;
    if (!time_steps(comm, strata_context_device_of(context), strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10),
                    &milliseconds, err))
        return false;
    if (strata_comm_rank(comm) == 0) printf("%.2f ms\n", milliseconds);
    return true;
}

static bool run(strata_context *context, char **argv, strata_error *err)
{
    const char *what = argv[1] ? argv[1] : "check";
    if (strcmp(what, "disagree") == 0) return disagree(context, err);
    if (strcmp(what, "abort") == 0) return end_all(context, err);
    if (strcmp(what, "broken") == 0) return stays_broken(context, err);
    if (strcmp(what, "time") == 0 && argv[2] && argv[3]) return take_time(context, argv, err);
    if (strcmp(what, "endless") == 0)
        return train_for_ever(strata_context_comm(context), strata_context_device_of(context), err);
    return check(context, err);
}

int main(int argc, char **argv)
{
    strata_error err = { 0 }, failed = { STRATA_EJOB, 0, "this job is wrong" };
    const char *ranks = getenv("OMPI_COMM_WORLD_SIZE");
    const bool last = ranks && strata_launch_rank() == atoi(ranks) - 1;
    const bool failing = last && argc > 1 && strcmp(argv[1], "fail") == 0;
    const bool deviceless = last && argc > 1 && strcmp(argv[1], "device") == 0;
    const strata_context_config config = { .failed = failing ? &failed : NULL,
                                           .devices = deviceless ? "no such device,no such device" : NULL };
    strata_context *context = strata_context_create(&config, &err);
    const bool ok = context && run(context, argv, &err);
    if (!ok) fprintf(stderr, "rank %d: %s\n", strata_launch_rank(), err.message);
    strata_context_free(context);
    return strata_exit_code(ok ? STRATA_OK : err.code);
}
