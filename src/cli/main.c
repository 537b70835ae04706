/* strata: the command. Reads the command line, runs the verb, turns its error into words and an exit code. */
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <strata/context.h>
#include <strata/version.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"

static bool run(const struct command *c, strata_error *err)
{
    if (strata_command_has(c, "--version")) {
        strata_print("strata %s\n", strata_version());
        return true;
    }
    if (strata_command_has(c, "--help")) return strata_help_print(c->verb, err);
    if (!c->verb)
        return strata_command_fail(err, STRATA_EUSAGE, "no verb; \"strata help\" lists what there is");
    if (!c->verb->collective && strata_launch_rank() != 0) return true;
    return c->verb->run(c, err);
}

static bool read_line(int argc, char **argv, struct command *c, int *status, bool *told, strata_error *err)
{
    const bool ok = strata_command_parse(argc, argv, c, err);
    c->status = status;
    c->told = told;
    return ok;
}

/* Output that never reached its file is a failure too, such as a full disk behind stdout. */
static bool flushed(strata_error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return true;
    return strata_command_fail(err, STRATA_EMEMORY, "the results could not be written to stdout");
}

int main(int argc, char **argv)
{
    struct command command = { 0 };
    int status = 0;
    bool told = false;
    strata_error err = { 0 };
    if (argc == 2 && strcmp(argv[1], STRATA_COMPILER_WORD) == 0) return strata_compile_kernels();
    setlocale(LC_CTYPE, "");
    strata_launch_prepare();
    const bool ok = read_line(argc, argv, &command, &status, &told, &err) && run(&command, &err) && flushed(&err);
    if (!ok) strata_tell_failure(&command, &err);
    strata_command_free(&command);
    return ok ? status : strata_exit_code(err.code);
}
