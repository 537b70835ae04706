/* How calls report failure: the caller owns a strata_error, a failing call fills it and returns false or NULL. */
#ifndef STRATA_ERROR_H
#define STRATA_ERROR_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define STRATA_API __attribute__((visibility("default")))
#define STRATA_CHECKED __attribute__((warn_unused_result))
#else
#define STRATA_API
#define STRATA_CHECKED
#endif

typedef enum strata_code {
    STRATA_OK = 0,
    STRATA_EUSAGE,    /* wrong words on a command line                                   exit 64 */
    STRATA_EFILE,     /* a file or data that cannot be read, written or believed         exit 65 */
    STRATA_EDEVICE,   /* no such device, or the device refused                           exit 69 */
    STRATA_EBUG,      /* a bug in Strata                                                 exit 70 */
    STRATA_EMEMORY,   /* out of memory, device memory or disk                            exit 71 */
    STRATA_ESTOPPED,  /* stopped by a signal, the state is saved: resume                 exit 75 */
    STRATA_EPEER,     /* another rank was lost or stalled                                exit 76 */
    STRATA_EDISAGREE, /* the ranks do not hold the same job, model, data or weights      exit 77 */
    STRATA_EJOB,      /* a bad job: unknown key, bad value                               exit 78 */
    STRATA_ESHAPE,    /* shapes that do not fit each other                               exit 78 */
    STRATA_EVALUE,    /* an argument out of its range, a call at the wrong moment        exit 78 */
} strata_code;

/* Start with `strata_error err = { 0 };`. native is the OpenCL, CLBlast, MPI, HDF5 or errno code behind it, or 0. */
typedef struct strata_error {
    strata_code code;
    int native;
    char message[2000];
} strata_error;

/* The command's exit code that belongs to an error code; 0 for STRATA_OK. */
STRATA_API int strata_exit_code(strata_code code);

#ifdef __cplusplus
}
#endif
#endif
