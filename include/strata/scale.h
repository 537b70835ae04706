/* How long a step would take on other numbers of ranks: a model of what Strata does between ranks, fed with measured times. */
#ifndef STRATA_SCALE_H
#define STRATA_SCALE_H

#include <stddef.h>
#include <strata/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Between two ranks: seconds until a bucket of no size is exchanged and gathered, and bytes a second. */
typedef struct strata_link {
    double latency, bandwidth;
} strata_link;

/* A step, in seconds and bytes. */
typedef struct strata_scale {
    double compute;         /* forward and backward of one rank that has its device to itself */
    double weights;         /* bytes of what is trained: as many of gradients travel, and of weights */
    size_t buckets;         /* equal ones, ready one after the other in the course of backward */
    double forward;         /* the part of `compute` before the first gradient: 1/3, where backward takes twice forward */
    double compression;     /* bytes of a gradient on its way between hosts, of those of a float: 1 or 0.5 */
    size_t per_host;        /* ranks a host */
    bool shares_cores;      /* .. which compute on the same cores by turns, as CPU devices do */
    strata_link near, far;  /* between ranks of one host, and of two */
    double overhead;        /* to send a message, in seconds: "o" of LogP */
} strata_scale;

/* What the job's ranks and devices say; what is not known of it is usual: a bucket in 50 microseconds and 12.5 GB a second between
 * hosts, 50 and 10 GB inside one, a message in half a microsecond. compute and weights are 0. */
STRATA_API strata_scale strata_scale_of(const strata_context *context);

/* Where the time of a step goes; what is not computing is waited for. */
typedef struct strata_scale_step {
    double compute, exposed; /* their sum is the step */
    double communication;    /* of all buckets, hidden behind computing or not */
} strata_scale_step;

/* Weak scaling: each rank has the batch of `compute`.
 *
 * With N hosts of K ranks (fewer where there are not K * N) a bucket of B bytes is exchanged in
 *
 *   near.latency / 2 * log2 K + far.latency / 2 * log2 N + overhead (N - 1)
 *   + B (K - 1) / K / near.bandwidth + c B (N - 1) / N / far.bandwidth
 *
 * and gathered in the same with c = 1: notices go up a tree; each host sends each other one message for every owner there;
 * all but its own share of B comes to a rank of a host, and all but its own share comes to a host. Buckets are exchanged one
 * after the other from when backward has them, and gathered one after the other from when they are exchanged; the step is over
 * with the last, or with backward. Sources: Hockney (1994), "The communication challenge for MPP", for latency + bytes /
 * bandwidth; Thakur, Rabenseifner and Gropp (2005), "Optimization of collective communication operations in MPICH", for the
 * bytes; Culler et al. (1993), "LogP", for the overhead. */
STRATA_API strata_scale_step strata_scale_model(const strata_scale *scale, size_t ranks);

/* Measures the link between the ranks of the job, on the way that gradients take, in about a second: near where all are on one
 * host, else far. Nothing to do with one rank. Collective. */
STRATA_API STRATA_CHECKED bool strata_scale_measure(strata_scale *scale, strata_context *context, strata_error *err);

/* A picture: samples a second over ranks, as the model says, and if nothing were waited for. `samples`: of a rank in a step.
 * free() it. */
STRATA_API STRATA_CHECKED char *strata_scale_svg(const char *title, const strata_scale *scale, double samples, strata_error *err);
enum { STRATA_SCALE_MOST = 4096 }; /* ranks */

#ifdef __cplusplus
}
#endif
#endif
