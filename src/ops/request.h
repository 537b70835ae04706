/* An op that has several implementations, as a value: what is measured, and under which key its choice is kept. */
#ifndef STRATA_OPS_REQUEST_H
#define STRATA_OPS_REQUEST_H

#include "ops/conv2d.h"
#include "ops/gemm.h"

enum request_kind { REQUEST_GEMM, REQUEST_CONV2D, REQUEST_CONV2D_INPUT_GRADIENT, REQUEST_CONV2D_KERNEL_GRADIENT, REQUEST_KINDS };

/* Views in it give places only, and only while the op is queued. */
struct request {
    enum request_kind kind;
    bool strict;        /* of the run */
    bool untuned;       /* likewise */
    struct gemm gemm;   /* REQUEST_GEMM */
    struct conv2d conv; /* the others */
    struct tail tail;   /* REQUEST_CONV2D */
};

static inline bool strata_request_is_gradient(const struct request *request)
{
    return request->kind == REQUEST_CONV2D_INPUT_GRADIENT || request->kind == REQUEST_CONV2D_KERNEL_GRADIENT;
}

/* "conv2d input gradient" */
const char *strata_request_operation(const struct request *request);
/* "128x10x512", "32x26x26x32 3x3 32x13x13x64 strides 2x2": by what implementations differ in speed. */
enum { STRATA_REQUEST_TEXT = 240 };
const char *strata_request_shape(const struct request *request, char text[STRATA_REQUEST_TEXT]);
/* Both, as one text. */
const char *strata_request_key(const struct request *request, char text[STRATA_REQUEST_TEXT]);

/* Multiplications and additions by definition (of a direct convolution), and each tensor read or written once. */
struct work strata_request_work(const struct request *request, const char *implementation, bool tuned);

/* Which implementation somebody asks for by name: STRATA_IMPL for `op`, else whoever measured the shape. */
enum { STRATA_IMPLEMENTATION_NAME = 64 };
enum wanted { WANTED_NONE, WANTED_FORCED, WANTED_TUNED };
enum wanted strata_request_wanted(const struct request *request, struct device *device, const char *op,
                                  char name[STRATA_IMPLEMENTATION_NAME]);

#endif
