/* strata help: the verbs, one verb, or a list of what jobs may name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strata/manual.h>
#include <strata/text.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"

static void print_options(const struct option *options)
{
    for (const struct option *o = options; o && o->name; o++) {
        char left[64], letter[8] = "    ";
        if (o->letter) snprintf(letter, sizeof letter, "-%c, ", o->letter);
        snprintf(left, sizeof left, "%s%s%s%s", letter, o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        strata_print("  %-36s %s\n", left, o->help);
    }
}

static void print_verb(const struct verb *verb)
{
    strata_print("strata %s %s\n\n  %s\n", verb->name, verb->usage, verb->summary);
    if (verb->details) strata_print("\n%s", verb->details);
    if (verb->options) {
        strata_print("\nOptions:\n");
        print_options(verb->options);
    }
    strata_print("\nOptions of every verb:\n");
    print_options(strata_common_options);
}

static void print_all(void)
{
    strata_print("strata VERB ...: trains Keras models on OpenCL devices, one MPI rank a device\n\n");
    for (const struct verb *const *v = strata_verbs; *v; v++)
        strata_print("  %-11s %s\n", (*v)->name, (*v)->summary);
    strata_print("\nOptions of every verb:\n");
    print_options(strata_common_options);
    strata_print(
        "\n\"strata help VERB\" tells more. MODEL is a .json, .h5 or .keras file of Keras, a checkpoint or a "
        "run folder.\n"
        "Exit codes: 0 done, 64 usage, 65 bad file or data, 69 no such device, 70 a bug, 71 out of memory or "
        "disk,\n"
        "75 stopped (resume), 76 a peer was lost, 77 ranks disagree, 78 bad job.\n");
}

bool strata_help_print(const struct verb *verb, strata_error *err)
{
    (void)err;
    if (verb)
        print_verb(verb);
    else
        print_all();
    return true;
}

static bool unknown_topic(const char *word, strata_error *err)
{
    const char *names[96] = { NULL };
    size_t count = 0;
    for (size_t i = 0; strata_verbs[i] && count < 64; i++) names[count++] = strata_verbs[i]->name;
    for (const char *const *topic = strata_manual_topics(); *topic && count < 96; topic++)
        names[count++] = *topic;
    const char *nearest = strata_nearest(word, names, count);
    return strata_command_fail(err, STRATA_EUSAGE, "no help for \"%s\"%s%s%s", word,
                               nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                               nearest ? "\"?" : "; \"strata help\" lists what there is");
}

static bool is_topic(const char *word)
{
    for (const char *const *topic = strata_manual_topics(); *topic; topic++)
        if (strcmp(*topic, word) == 0) return true;
    return false;
}

static bool print_page(const struct command *c, strata_error *err)
{
    char *text = strata_manual_page(err);
    if (!text) return false;
    bool ok = true;
    if (c->json)
        ok = strata_print_json(json_pack("{s:s}", "text", text), err);
    else
        strata_print_text(text);
    free(text);
    return ok;
}

static bool print_topic(const struct command *c, const char *topic, strata_error *err)
{
    char *text = strata_manual(topic, err);
    if (!text) return false;
    bool ok = true;
    if (c->json)
        ok = strata_print_json(json_pack("{s:s, s:s}", "topic", topic, "text", text), err);
    else
        strata_print_text(text);
    free(text);
    return ok;
}

static bool run(const struct command *c, strata_error *err)
{
    if (strata_command_has(c, "--markdown")) return print_page(c, err);
    if (c->word_count == 0) return strata_help_print(NULL, err);
    const struct verb *verb = strata_verb_find(c->words[0]);
    if (verb) return strata_help_print(verb, err);
    return is_topic(c->words[0]) ? print_topic(c, c->words[0], err) : unknown_topic(c->words[0], err);
}

static const struct option options[] = {
    { "--markdown", 0, NULL, "all that models and jobs may name, as a page" },
    { 0 },
};

extern const struct verb strata_verb_help;
const struct verb strata_verb_help = {
    .name = "help",
    .usage = "[VERB|layers|optimizers|losses|metrics|callbacks|...]",
    .summary = "this list, a verb, or what jobs may name",
    .options = options,
    .words_most = 1,
    .run = run,
};
