#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool strata_command_fail(strata_error *err, strata_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    *err = (strata_error){ .code = code };
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return false;
}

bool strata_command_fail_in(strata_error *err, const char *where)
{
    char message[sizeof err->message];
    memcpy(message, err->message, sizeof message);
    snprintf(err->message, sizeof err->message, "%.500s: %.1400s", where, message);
    return false;
}
