/* A rank's place in the job: its communicator and its device. */
#ifndef STRATA_CONTEXT_H
#define STRATA_CONTEXT_H

#include <stddef.h>
#include <strata/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct strata_context strata_context;

/* The only argument of a program that is started to compile kernels. */
#define STRATA_COMPILER_WORD "compile-kernels"

typedef struct strata_context_config {
    const char *devices; /* NULL or "auto", or a list with an entry a local rank; see `strata devices` */
    bool profile;        /* the device keeps time: strata/profile.h */
    const char *compiler; /* a program that calls strata_compile_kernels when its only argument is STRATA_COMPILER_WORD: a start without
                             a cache takes less time with it; NULL: kernels are compiled by this process alone. Stays */
    const strata_error *failed; /* what already went wrong on this rank: no rank gets a context then; NULL: nothing */
} strata_context_config;

/* Collective. config NULL: all defaults. Under mpirun one rank of the job, else the only one. When one rank fails, all do, with its message. */
STRATA_API STRATA_CHECKED strata_context *strata_context_create(const strata_context_config *config, strata_error *err);
STRATA_API void strata_context_free(strata_context *context); /* takes NULL */
STRATA_API int strata_context_rank(const strata_context *context);
STRATA_API int strata_context_size(const strata_context *context);
STRATA_API const char *strata_context_device(const strata_context *context); /* for people */

/* How many bytes of this rank's device memory fit, evaluate, predict and extract may take from now on; 0: as many as they want. Where a rank's
 * samples of a batch do not fit, they run in equal parts, one after the other: gradients are added as `accumulate` of fit does, so the
 * result is that of the whole but for rounding and what accumulate says of batch normalization. Each rank may have its own limit. `note` is called on rank 0
 * with a line on how batches are divided; NULL: silent. Weights, gradients, the optimizer and all activations count; what the driver and CLBlast take for
 * themselves does not. */
STRATA_API void strata_context_limit_memory(strata_context *context, size_t bytes,
                                            void (*note)(void *note_context, const char *message), void *note_context);

/* What is amiss with what this rank read as it began, such as a damaged tuning file, which is ignored; NULL: nothing. */
STRATA_API const char *strata_context_warning(const strata_context *context);

/* Collective: true on every rank, or false on every rank when `ok` is false on one; *err is then the error of the lowest
 * such rank. For work after which all ranks must go on together, such as reading a file. */
STRATA_API STRATA_CHECKED bool strata_context_agree(strata_context *context, bool ok, strata_error *err);

/* The rank that a launcher gave this process, which is known before there is a context; 0 without a launcher. */
STRATA_API int strata_launch_rank(void);

/* For main, before there is a context and before any thread starts, for it sets the environment: ranks that Open MPI started on one host
 * will talk through its memory. Else it first looks for networks, which takes 0.2 s of a start. Does nothing where ranks are on several
 * hosts, or where OMPI_MCA_pml, OMPI_MCA_btl or OMPI_MCA_mtl says what to take. */
STRATA_API void strata_launch_prepare(void);

/* Compiles kernels for the process that started this one, until that wants no more; returns what main returns. */
STRATA_API int strata_compile_kernels(void);

/* Ends all ranks with the error's exit code; for a failure that only this rank has. Does not return. */
STRATA_API void strata_context_abort(strata_context *context, const strata_error *err);

#ifdef __cplusplus
}
#endif
#endif
