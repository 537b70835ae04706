/* Filling a strata_error. */
#ifndef STRATA_BASE_ERROR_H
#define STRATA_BASE_ERROR_H

#include <strata/error.h>

/* Sets code and message (printf form) and returns false, so that `return strata_fail(...)` reads as one step. */
bool strata_fail(strata_error *err, strata_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same, with the code of the library that failed. */
bool strata_fail_native(strata_error *err, strata_code code, int native, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Of a file, from errno: "PATH: cannot be written: No space left on device". STRATA_EMEMORY where there is no room, else STRATA_EFILE. */
bool strata_fail_file(strata_error *err, const char *path, const char *doing);

/* Puts "where: " before the message of an error on its way up, and returns false. */
bool strata_fail_in(strata_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
