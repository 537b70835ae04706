#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int strata_exit_code(strata_code code)
{
    static const int exits[] = {
        [STRATA_OK] = 0,        [STRATA_EUSAGE] = 64,    [STRATA_EFILE] = 65,  [STRATA_EDEVICE] = 69,
        [STRATA_EBUG] = 70,     [STRATA_EMEMORY] = 71,   [STRATA_ESTOPPED] = 75, [STRATA_EPEER] = 76,
        [STRATA_EDISAGREE] = 77, [STRATA_EJOB] = 78,     [STRATA_ESHAPE] = 78, [STRATA_EVALUE] = 78,
    };
    return (size_t)code < sizeof exits / sizeof *exits ? exits[code] : 70;
}

static bool fill(strata_error *err, strata_code code, int native, const char *format, va_list args)
{
    err->code = code;
    err->native = native;
    vsnprintf(err->message, sizeof err->message, format, args);
    return false;
}

bool strata_fail(strata_error *err, strata_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, code, 0, format, args);
    va_end(args);
    return false;
}

bool strata_fail_native(strata_error *err, strata_code code, int native, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, code, native, format, args);
    va_end(args);
    return false;
}

bool strata_fail_file(strata_error *err, const char *path, const char *doing)
{
    const int why = errno;
    const bool full = why == ENOSPC || why == EDQUOT || why == ENOMEM;
    return strata_fail_native(err, full ? STRATA_EMEMORY : STRATA_EFILE, why, "%s: %s: %s", path, doing, strerror(why));
}

bool strata_fail_in(strata_error *err, const char *format, ...)
{
    char where[sizeof err->message], old[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(where, sizeof where, format, args);
    va_end(args);
    memcpy(old, err->message, sizeof old);
    strata_error joined = { 0 };
    const size_t room = sizeof joined.message - 3, length = strnlen(where, room);
    memcpy(joined.message, where, length);
    memcpy(joined.message + length, ": ", 2);
    memcpy(joined.message + length + 2, old, strnlen(old, room - length));
    memcpy(err->message, joined.message, sizeof joined.message);
    return false;
}
