/* What is said between a process and those that compile for it. */
#ifndef STRATA_DEVICE_COMPILERS_PRIV_H
#define STRATA_DEVICE_COMPILERS_PRIV_H

#include <stdint.h>

enum { REQUEST_ARGS = 32, REQUEST_SIZE = 2048 };

struct request_arg {
    uint64_t value; /* or bytes of the buffer; 0: no buffer */
    uint64_t offset;
};

/* One request is one write to a pipe, and one read, whoever gets it (POSIX: up to 4096 bytes stay together on Linux). */
struct request {
    char kernel[64], options[1200];
    int32_t device, dims, count;
    uint8_t types[REQUEST_ARGS]; /* enum arg_type */
    uint64_t global[3], local[3];
    struct request_arg args[REQUEST_ARGS];
};
_Static_assert(sizeof(struct request) <= REQUEST_SIZE, "a request fits its place in the pipe");

#endif
