#include "cli/cli.h"

#include <criterion/criterion.h>
#include <string.h>

enum { MOST = 16 };

/* Splits a line at its blanks; the command borrows from `words`. */
static bool parse(const char *line, char *words, struct command *c, strata_error *err)
{
    char *argv[MOST + 1] = { "strata" };
    int argc = 1;
    strcpy(words, line);
    for (char *word = strtok(words, " "); word && argc < MOST; word = strtok(NULL, " ")) argv[argc++] = word;
    return strata_command_parse(argc, argv, c, err);
}

static void refused(const char *line, const char *message)
{
    char words[256];
    struct command c;
    strata_error err = { 0 };
    cr_assert_not(parse(line, words, &c, &err), "%s", line);
    cr_assert_eq(err.code, STRATA_EUSAGE);
    cr_assert_str_eq(err.message, message);
    strata_command_free(&c);
}

Test(args, options_stand_anywhere)
{
    static const char *const lines[] = { "predict m.h5 --data a.npz -o out.npy --json",
                                         "--json predict -oout.npy m.h5 --data=a.npz",
                                         "predict --data a.npz --output=out.npy --json -- m.h5" };
    for (size_t i = 0; i < 3; i++) {
        char words[256];
        struct command c;
        strata_error err = { 0 };
        cr_assert(parse(lines[i], words, &c, &err), "%s: %s", lines[i], err.message);
        cr_assert_str_eq(c.verb->name, "predict");
        cr_assert(c.word_count == 1 && strcmp(c.words[0], "m.h5") == 0);
        cr_assert(c.json);
        cr_assert_str_eq(strata_command_option(&c, "--data"), "a.npz");
        cr_assert_str_eq(strata_command_option(&c, "--output"), "out.npy");
        strata_command_free(&c);
    }
}

/* "[FILE]": the next word is its value only when the verb has all of its own. */
Test(args, a_value_may_be_left_out)
{
    static const struct {
        const char *line, *value;
    } cases[] = { { "fit job.json --profile", "" },           { "fit --profile job.json", "" },
                  { "fit job.json --profile t.json", "t.json" }, { "fit --profile=t.json job.json", "t.json" },
                  { "fit job.json --profile --resume", "" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char words[256];
        struct command c;
        strata_error err = { 0 };
        cr_assert(parse(cases[i].line, words, &c, &err), "%s: %s", cases[i].line, err.message);
        cr_assert(c.word_count == 1 && strcmp(c.words[0], "job.json") == 0, "%s", cases[i].line);
        cr_assert_str_eq(strata_command_option(&c, "--profile"), cases[i].value);
        strata_command_free(&c);
    }
}

Test(args, values_that_look_like_a_verb_are_none)
{
    char words[256];
    struct command c;
    strata_error err = { 0 };
    cr_assert(parse("--seed 7 --set a=fit --progress line fit job.json -qv", words, &c, &err), "%s",
              err.message);
    cr_assert_str_eq(c.verb->name, "fit");
    cr_assert(c.seeded && c.seed == 7 && c.quiet && c.verbose && c.progress == PROGRESS_LINE);
    cr_assert(c.set_count == 1 && strcmp(c.sets[0], "a=fit") == 0);
    strata_command_free(&c);
}

Test(args, a_set_may_come_often_and_other_options_count_last)
{
    char words[256];
    struct command c;
    strata_error err = { 0 };
    cr_assert(parse("check j --set a=1 --set b.c=[1,2] --devices 0 --devices 1", words, &c, &err), "%s",
              err.message);
    cr_assert(c.set_count == 2 && strcmp(c.sets[1], "b.c=[1,2]") == 0);
    cr_assert_str_eq(c.devices, "1");
    strata_command_free(&c);
}

Test(args, what_is_not_known_is_refused_with_the_nearest)
{
    refused("sumary m.h5", "unknown verb \"sumary\"; did you mean \"summary\"?");
    refused("xyzzy", "unknown verb \"xyzzy\"; \"strata help\" lists the verbs");
    refused("summary m.h5 --stile keras2", "unknown option \"--stile\"; did you mean \"--style\"?");
    refused("summary m.h5 --xyzzy", "unknown option \"--xyzzy\"; \"strata help summary\" lists the options");
    refused("summary m.h5 -z", "unknown option \"-z\"; \"strata help summary\" lists the options");
}

Test(args, values_are_checked)
{
    refused("summary m.h5 --style keras4", "--style is \"keras4\"; it must be one of keras2|keras3");
    refused("summary m.h5 --style", "--style needs a value: keras2|keras3");
    refused("summary m.h5 --json=1", "--json takes no value");
    refused("summary m.h5 --seed -1", "--seed is \"-1\"; a whole number of at least 0 is expected");
    refused("summary m.h5 --seed 99999999999999999999",
            "--seed is \"99999999999999999999\"; a whole number of at least 0 is expected");
    refused("fit j --set epochs", "--set is \"epochs\"; KEY=VALUE is expected, such as fit.epochs=5");
}

Test(args, words_are_counted)
{
    refused("convert a.h5",
            "convert: something is missing; usage: strata convert IN OUT [--flavour keras2|keras3] "
            "[--model MODEL [--by-name] [--skip-mismatch]]");
    refused("devices now", "devices: \"now\" is one word too many; usage: strata devices ");
}

Test(args, numbers_are_whole_and_above_zero)
{
    static const char *const wrong[] = { "0", "-3", "2.5", "x", "3x", "nan", "1e99" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char words[256], line[64] = "evaluate m --data d --batch-size ";
        struct command c;
        size_t value;
        strata_error err = { 0 };
        cr_assert(parse(strcat(line, wrong[i]), words, &c, &err), "%s", err.message);
        cr_assert_not(strata_command_count(&c, "--batch-size", 1, &value, &err), "%s", wrong[i]);
        cr_assert_eq(err.code, STRATA_EUSAGE);
        strata_command_free(&c);
    }
}

Test(verbs, every_one_has_help_and_options_with_distinct_names)
{
    for (const struct verb *const *v = strata_verbs; *v; v++) {
        cr_assert((*v)->usage && (*v)->summary && (*v)->run, "%s", (*v)->name);
        cr_assert_eq(strata_verb_find((*v)->name), *v);
        for (const struct option *o = (*v)->options; o && o->name; o++) {
            cr_assert(strncmp(o->name, "--", 2) == 0 && o->help, "%s %s", (*v)->name, o->name);
            for (const struct option *common = strata_common_options; common->name; common++)
                cr_assert(strcmp(o->name, common->name) != 0 && (!o->letter || o->letter != common->letter),
                          "%s %s", (*v)->name, o->name);
        }
    }
}
