/* Processes that compile kernels at the same time, for a driver that compiles a kernel when it is launched for the first time, one after the
 * other, and keeps what came out in files: PoCL. They build the programs of recordings and launch each of their kernels, on memory of
 * their own, so that the driver finds them compiled when the recordings are played.
 *
 * They are only a help: what one did not do, because it died, hangs or cannot be started, the driver does as ever. */
#ifndef STRATA_DEVICE_COMPILERS_H
#define STRATA_DEVICE_COMPILERS_H

#include <stdint.h>

#include "device/launch.h"

struct compilers;

/*   program      is run with the one argument STRATA_COMPILER_WORD, and calls strata_compilers_serve; borrowed
 *   count        how many there are at most
 *   device       its index in strata_devices
 *   build        a number for the driver and the sources, of which what was compiled is a part
 *   part, parts  which of so many processes of this node this is; those that compile the same share the work */
struct compilers_config {
    const char *program;
    int count, device;
    uint64_t build;
    int part, parts;
};

/* NULL where there is no use or no memory for them. */
struct compilers *strata_compilers_create(const struct compilers_config *config);
void strata_compilers_free(struct compilers *compilers); /* takes NULL */

/* Notes the kernel of a launch with these groups, once. */
void strata_compilers_ask(struct compilers *compilers, const struct launch *launch, const size_t global[3],
                          const size_t local[3]);

/* Whether there are kernels noted, and no start before, of which the cache folder tells, had just these compiled; without such a
 * folder nobody knows, and they are not. */
bool strata_compilers_are_needed(const struct compilers *compilers);

/* Starts the processes and waits until all that is noted is done, nobody is at it any more, or not one kernel was done in so many
 * seconds; then they end. */
void strata_compilers_wait(struct compilers *compilers, double patience);

/* What is noted is compiled already. */
void strata_compilers_forget(struct compilers *compilers); /* takes NULL */

/* What they do: serves requests from stdin until it is closed, and says so on stdout. */
int strata_compilers_serve(void);

#endif
