/* Processes that compile kernels at the same time as this one, for a driver that compiles a kernel when it is launched for the first
 * time, one after the other, and keeps what came out in files: PoCL. They launch each kernel that a recording will, on memory of
 * their own, so that the driver finds it compiled when the recording is played.
 *
 * They are only a help: what one did not do, because it died, hangs or cannot be started, the driver does as ever. */
#ifndef STRATA_DEVICE_COMPILERS_H
#define STRATA_DEVICE_COMPILERS_H

#include "device/launch.h"

struct compilers;

/* For a device that may have `count` of them, which are started when the first kernel is asked for. `program` is run with the one
 * argument STRATA_COMPILER_WORD, and calls strata_compilers_serve. NULL where there is no use or no memory for them. */
struct compilers *strata_compilers_create(const char *program, int count, int device_index);
void strata_compilers_free(struct compilers *compilers); /* takes NULL; ends what is still running */

/* Asks for the kernel of a launch with these groups, once. Waits for nothing. */
void strata_compilers_ask(struct compilers *compilers, const struct launch *launch, const size_t global[3],
                          const size_t local[3]);

/* Until all that was asked for is done, nobody is at it any more, or not one kernel was done in so many seconds; then they end. */
void strata_compilers_wait(struct compilers *compilers, double patience);

/* What they do: serves requests from stdin until it is closed, and says so on stdout. */
int strata_compilers_serve(void);

#endif
