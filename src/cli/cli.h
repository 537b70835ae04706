/* The command: what a verb is, and what the user gave it. */
#ifndef STRATA_CLI_CLI_H
#define STRATA_CLI_CLI_H

#include <stddef.h>
#include <stdint.h>
#include <strata/error.h>

struct option {
    const char *name; /* "--style" */
    char letter;      /* 'o' for -o; 0: none */
    const char *value; /* what follows: "FILE", "keras2|keras3" (then it must be one of these), "[FILE]" (it may be left out:
                          it is behind a =, or the next word when the verb has all of its own); NULL: nothing */
    const char *help; /* one line */
};

enum progress_form { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_LINE, PROGRESS_NONE };

struct given {
    const struct option *option;
    const char *value;
};

/* A command line, read. Pointers are into argv; `words` and `given` are owned. */
struct command {
    const struct verb *verb;
    const char **words; /* what is not an option, without the verb */
    size_t word_count;
    struct given *given; /* in order, those that may come often too */
    size_t given_count;
    const char **sets; /* the values of --set; owned */
    size_t set_count;
    bool json, quiet, verbose;
    const char *devices; /* NULL: auto */
    bool seeded;
    uint64_t seed;
    enum progress_form progress;
    int *status; /* the exit code of a verb that did not fail; 0 unless the verb has something to say by it */
    bool *told;  /* why the verb failed is said; see strata_tell_failure */
};

/* One verb: a table in a file of its own, listed in verbs.c. */
struct verb {
    const char *name;
    const char *usage;            /* "MODEL [--style keras2|keras3]" */
    const char *summary;          /* one line */
    const char *details;          /* more lines for `strata help VERB`; may be NULL */
    const struct option *options; /* its own, ends in { 0 }; NULL: none */
    size_t words_least, words_most;
    bool collective; /* every rank runs it; else rank 0 alone */
    bool (*run)(const struct command *command, strata_error *err);
};

extern const struct verb *const strata_verbs[];     /* NULL-terminated, in the order of `strata help` */
extern const struct option strata_common_options[]; /* ends in { 0 } */
const struct verb *strata_verb_find(const char *name);

/* Reads a command line; verb NULL when there is none (then help or version may be asked for: see strata_command_has).
 * STRATA_EUSAGE says what is wrong and what is near. Release with strata_command_free, also after a failure. */
bool strata_command_parse(int argc, char **argv, struct command *command, strata_error *err);
void strata_command_free(struct command *command);

/* The last value given for an option of that name ("" for one that takes none), or NULL. */
const char *strata_command_option(const struct command *command, const char *name);
bool strata_command_has(const struct command *command, const char *name);
/* A positive number given to an option; `otherwise` when it is not given. */
bool strata_command_count(const struct command *command, const char *name, size_t otherwise, size_t *value,
                          strata_error *err);
bool strata_command_number(const struct command *command, const char *name, double otherwise, double *value,
                           strata_error *err);

/* Sets code and message and returns false. */
bool strata_command_fail(strata_error *err, strata_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "where: " before the message; returns false. */
bool strata_command_fail_in(strata_error *err, const char *where);

#endif
