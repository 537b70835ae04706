/* Reading the command line. Options may stand anywhere; "--" ends them. */
#include "cli/cli.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strata/text.h>

const struct option strata_common_options[] = {
    { "--json", 0, NULL, "one JSON object a line on stdout, and nothing else there" },
    { "--set", 0, "KEY=VALUE", "change a key of the job, such as fit.epochs=5; may come often" },
    { "--devices", 0, "LIST",
      "the devices of this node's ranks, by number or name (see strata devices); auto" },
    { "--seed", 0, "N", "the seed of everything random" },
    { "--progress", 0, "auto|bar|line|none", "how progress is shown on stderr" },
    { "--quiet", 'q', NULL, "no messages but errors" },
    { "--verbose", 'v', NULL, "more messages" },
    { "--help", 'h', NULL, "help for the verb" },
    { "--version", 0, NULL, "print the version" },
    { 0 },
};

/* ---- finding options ------------------------------------------------------------------------------------------- */

static const struct option *in_table(const struct option *table, const char *name, size_t length)
{
    for (const struct option *o = table; o && o->name; o++)
        if (strlen(o->name) == length && strncmp(o->name, name, length) == 0) return o;
    return NULL;
}

static const struct option *by_letter(const struct option *table, char letter)
{
    for (const struct option *o = table; o && o->name; o++)
        if (o->letter == letter) return o;
    return NULL;
}

static bool unknown_option(const struct command *c, const char *word, size_t length, strata_error *err)
{
    const char *names[64] = { NULL };
    char name[64];
    size_t count = 0;
    const struct option *tables[] = { c->verb ? c->verb->options : NULL, strata_common_options };
    for (size_t t = 0; t < 2; t++)
        for (const struct option *o = tables[t]; o && o->name && count < 64; o++) names[count++] = o->name;
    if (length >= sizeof name) length = sizeof name - 1;
    memcpy(name, word, length);
    name[length] = '\0';
    const char *nearest = strata_nearest(name, names, count), *verb = c->verb ? c->verb->name : "";
    if (nearest)
        return strata_command_fail(err, STRATA_EUSAGE, "unknown option \"%s\"; did you mean \"%s\"?", name,
                                   nearest);
    return strata_command_fail(err, STRATA_EUSAGE,
                               "unknown option \"%s\"; \"strata help%s%s\" lists the options", name,
                               *verb ? " " : "", verb);
}

static bool unknown_verb(const char *word, strata_error *err)
{
    const char *names[64] = { NULL };
    size_t count = 0;
    for (; strata_verbs[count] && count < 64; count++) names[count] = strata_verbs[count]->name;
    const char *nearest = strata_nearest(word, names, count);
    if (nearest)
        return strata_command_fail(err, STRATA_EUSAGE, "unknown verb \"%s\"; did you mean \"%s\"?", word,
                                   nearest);
    return strata_command_fail(err, STRATA_EUSAGE, "unknown verb \"%s\"; \"strata help\" lists the verbs",
                               word);
}

/* ---- taking values --------------------------------------------------------------------------------------------- */

/* Whether value is one of "a|b|c"; any will do where the placeholder is not such a list. */
static bool is_choice(const char *choices, const char *value)
{
    const size_t length = strlen(value);
    if (!strchr(choices, '|')) return true;
    for (const char *at = choices; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strcspn(at, "|") == length && strncmp(at, value, length) == 0) return true;
    return false;
}

static bool parse_seed(const char *value, uint64_t *seed, strata_error *err)
{
    char *end = NULL;
    errno = 0;
    *seed = strtoull(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || value[0] == '-')
        return strata_command_fail(err, STRATA_EUSAGE,
                                   "--seed is \"%s\"; a whole number of at least 0 is expected", value);
    return true;
}

static bool take_common(struct command *c, const struct option *o, const char *value, strata_error *err)
{
    static const char *const forms[] = { "auto", "bar", "line", "none" };
    if (strcmp(o->name, "--json") == 0) c->json = true;
    if (strcmp(o->name, "--quiet") == 0) c->quiet = true;
    if (strcmp(o->name, "--verbose") == 0) c->verbose = true;
    if (strcmp(o->name, "--devices") == 0) c->devices = value;
    if (strcmp(o->name, "--set") == 0) {
        if (!strchr(value, '=') || value[0] == '=')
            return strata_command_fail(err, STRATA_EUSAGE,
                                       "--set is \"%s\"; KEY=VALUE is expected, such as fit.epochs=5", value);
        c->sets[c->set_count++] = value;
    }
    if (strcmp(o->name, "--progress") == 0)
        for (int i = 0; i < 4; i++)
            if (strcmp(value, forms[i]) == 0) c->progress = (enum progress_form)i;
    if (strcmp(o->name, "--seed") == 0) {
        c->seeded = true;
        return parse_seed(value, &c->seed, err);
    }
    return true;
}

static bool take(struct command *c, const struct option *o, const char *value, strata_error *err)
{
    if (o->value && !is_choice(o->value, value))
        return strata_command_fail(err, STRATA_EUSAGE, "%s is \"%s\"; it must be one of %s", o->name, value,
                                   o->value);
    c->given[c->given_count++] = (struct given){ o, value };
    const struct option *end = strata_common_options;
    while (end->name) end++;
    return o < strata_common_options || o >= end || take_common(c, o, value, err);
}

/* ---- the line -------------------------------------------------------------------------------------------------- */

/* The words still to be read. */
struct cursor {
    char **argv;
    int argc, at;
};

/* A value that may be left out is a word only when the verb has all that it takes. */
static bool may_follow(const struct command *c, const struct cursor *in, const struct option *o)
{
    return o->value[0] != '['
           || (c->verb && c->word_count >= c->verb->words_most && in->at < in->argc && in->argv[in->at][0] != '-');
}

static bool value_of(const struct command *c, struct cursor *in, const struct option *o, const char *attached, const char **value,
                     strata_error *err)
{
    *value = "";
    if (!o->value) {
        if (attached) return strata_command_fail(err, STRATA_EUSAGE, "%s takes no value", o->name);
        return true;
    }
    if (!attached && !may_follow(c, in, o)) return true;
    if (!attached && in->at >= in->argc)
        return strata_command_fail(err, STRATA_EUSAGE, "%s needs a value: %s", o->name, o->value);
    *value = attached ? attached : in->argv[in->at++];
    return true;
}

static bool long_option(struct command *c, struct cursor *in, const char *word, strata_error *err)
{
    const size_t length = strcspn(word, "=");
    const char *value, *attached = word[length] == '=' ? word + length + 1 : NULL;
    const struct option *o = in_table(c->verb ? c->verb->options : NULL, word, length);
    if (!o) o = in_table(strata_common_options, word, length);
    if (!o) return unknown_option(c, word, length, err);
    return value_of(c, in, o, attached, &value, err) && take(c, o, value, err);
}

/* -v, -qv, -oFILE, -o FILE. */
static bool short_options(struct command *c, struct cursor *in, const char *word, strata_error *err)
{
    for (const char *at = word + 1; *at; at++) {
        const char *value, *attached = NULL;
        const struct option *o = by_letter(c->verb ? c->verb->options : NULL, *at);
        if (!o) o = by_letter(strata_common_options, *at);
        if (!o)
            return strata_command_fail(err, STRATA_EUSAGE,
                                       "unknown option \"-%c\"; \"strata help%s%s\" lists the options", *at,
                                       c->verb ? " " : "", c->verb ? c->verb->name : "");
        if (o->value && at[1]) attached = at + 1;
        if (!value_of(c, in, o, attached, &value, err) || !take(c, o, value, err)) return false;
        if (attached) break;
    }
    return true;
}

static bool word_count_fits(const struct command *c, strata_error *err)
{
    const struct verb *verb = c->verb;
    if (strata_command_has(c, "--help")) return true;
    if (c->word_count < verb->words_least)
        return strata_command_fail(err, STRATA_EUSAGE, "%s: something is missing; usage: strata %s %s",
                                   verb->name, verb->name, verb->usage);
    if (c->word_count > verb->words_most)
        return strata_command_fail(err, STRATA_EUSAGE, "%s: \"%s\" is one word too many; usage: strata %s %s",
                                   verb->name, c->words[verb->words_most], verb->name, verb->usage);
    return true;
}

/* The verb comes first among the words, but options may come before it, so it is looked for ahead of them. */
static bool find_verb(int argc, char **argv, struct command *c, int *at, strata_error *err)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (word[0] != '-') {
            c->verb = strata_verb_find(word);
            *at = i;
            return c->verb || unknown_verb(word, err);
        }
        const struct option *o = in_table(strata_common_options, word, strlen(word));
        if (o && o->value) i++;
    }
    return true;
}

bool strata_command_parse(int argc, char **argv, struct command *c, strata_error *err)
{
    struct cursor in = { argv, argc, 1 };
    int verb_at = 0;
    bool options = true;
    *c = (struct command){ .words = calloc((size_t)argc + 1, sizeof *c->words),
                           .given = calloc((size_t)argc * 8 + 64, sizeof *c->given),
                           .sets = calloc((size_t)argc + 1, sizeof *c->sets) };
    if (!c->words || !c->given || !c->sets) return strata_command_fail(err, STRATA_EMEMORY, "out of memory");
    if (!find_verb(argc, argv, c, &verb_at, err)) return false;
    while (in.at < argc) {
        const int at = in.at++;
        const char *word = argv[at];
        if (at == verb_at && verb_at > 0) continue;
        if (options && strcmp(word, "--") == 0)
            options = false;
        else if (options && word[0] == '-' && word[1] == '-') {
            if (!long_option(c, &in, word, err)) return false;
        } else if (options && word[0] == '-' && word[1]) {
            if (!short_options(c, &in, word, err)) return false;
        } else
            c->words[c->word_count++] = word;
    }
    return !c->verb || word_count_fits(c, err);
}

void strata_command_free(struct command *c)
{
    free(c->words);
    free(c->given);
    free(c->sets);
    *c = (struct command){ 0 };
}

const char *strata_command_option(const struct command *c, const char *name)
{
    for (size_t i = c->given_count; i > 0; i--)
        if (strcmp(c->given[i - 1].option->name, name) == 0) return c->given[i - 1].value;
    return NULL;
}

bool strata_command_has(const struct command *c, const char *name)
{
    return strata_command_option(c, name) != NULL;
}

bool strata_command_number(const struct command *c, const char *name, double otherwise, double *value,
                           strata_error *err)
{
    const char *text = strata_command_option(c, name);
    char *end = NULL;
    *value = otherwise;
    if (!text) return true;
    *value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(*value) || *value <= 0)
        return strata_command_fail(err, STRATA_EUSAGE, "%s is \"%s\"; a number above 0 is expected", name,
                                   text);
    return true;
}

bool strata_command_count(const struct command *c, const char *name, size_t otherwise, size_t *value,
                          strata_error *err)
{
    double number;
    if (!strata_command_number(c, name, (double)otherwise, &number, err)) return false;
    if (number != floor(number) || number > 1e15)
        return strata_command_fail(err, STRATA_EUSAGE, "%s is \"%s\"; a whole number is expected", name,
                                   strata_command_option(c, name));
    *value = (size_t)number;
    return true;
}
