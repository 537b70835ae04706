/* strata completion bash|zsh: a script for the shell, made of the tables of verbs and options. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"

static void print_names(const struct option *options)
{
    for (const struct option *o = options; o && o->name; o++)
        strata_print(o->letter ? " %s -%c" : " %s", o->name, o->letter);
}

/* Cases of a shell that answer with the words an option takes: "a|b" becomes "a b". */
static void print_choices(const struct option *options)
{
    for (const struct option *o = options; o && o->name; o++) {
        if (!o->value || !strchr(o->value, '|')) continue;
        strata_print("        %s) choices=\"", o->name);
        for (const char *at = o->value; *at; at++) strata_print("%c", *at == '|' ? ' ' : *at);
        strata_print("\" ;;\n");
    }
}

static void print_bash(void)
{
    strata_print(
        "# bash completion of strata: put `source <(strata completion bash)` into ~/.bashrc\n"
        "_strata()\n{\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb= choices= w\n"
        "    for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
        "        case $w in -*) ;; *) verb=$w; break ;; esac\n"
        "    done\n"
        "    case $before in\n");
    print_choices(strata_common_options);
    for (const struct verb *const *v = strata_verbs; *v; v++) print_choices((*v)->options);
    strata_print("    esac\n"
                 "    if [ -z \"$choices\" ]; then\n"
                 "        case $verb in\n");
    for (const struct verb *const *v = strata_verbs; *v; v++) {
        strata_print("        %s) choices=\"", (*v)->name);
        print_names((*v)->options);
        strata_print("\" ;;\n");
    }
    strata_print("        '') choices=\"");
    for (const struct verb *const *v = strata_verbs; *v; v++) strata_print(" %s", (*v)->name);
    strata_print("\" ;;\n        esac\n        choices+=\"");
    print_names(strata_common_options);
    strata_print("\"\n"
                 "        case $word in -*) ;; *) [ -n \"$verb\" ] && { COMPREPLY=($(compgen -f -- "
                 "\"$word\")); return; } "
                 ";; esac\n"
                 "    fi\n"
                 "    COMPREPLY=($(compgen -W \"$choices\" -- \"$word\"))\n"
                 "}\n"
                 "complete -o filenames -F _strata strata\n");
}

/* zsh's brackets and quotes in a help line would end it. */
static void print_zsh_text(const char *text)
{
    for (; *text; text++) strata_print(*text == '\'' ? "'\\''" : strchr("[]:", *text) ? "\\%c" : "%c", *text);
}

static void print_zsh_option(const struct option *o)
{
    strata_print(" \\\n            '%s%s[", strcmp(o->name, "--set") == 0 ? "*" : "", o->name);
    print_zsh_text(o->help);
    strata_print("]");
    if (o->value && strchr(o->value, '|')) {
        strata_print(":value:(");
        for (const char *at = o->value; *at; at++) strata_print("%c", *at == '|' ? ' ' : *at);
        strata_print(")");
    } else if (o->value)
        strata_print(":%s:_files", o->value);
    strata_print("'");
}

static void print_zsh(void)
{
    strata_print(
        "#compdef strata\n# zsh completion of strata: put this file as _strata into a folder of $fpath\n"
        "_strata()\n{\n    local -a verbs\n    verbs=(");
    for (const struct verb *const *v = strata_verbs; *v; v++) {
        strata_print("\n        '%s:", (*v)->name);
        print_zsh_text((*v)->summary);
        strata_print("'");
    }
    strata_print(
        "\n    )\n    if (( CURRENT == 2 )); then _describe verb verbs; return; fi\n    case $words[2] in\n");
    for (const struct verb *const *v = strata_verbs; *v; v++) {
        strata_print("        %s) _arguments", (*v)->name);
        for (const struct option *o = (*v)->options; o && o->name; o++) print_zsh_option(o);
        for (const struct option *o = strata_common_options; o->name; o++) print_zsh_option(o);
        strata_print(" '*:file:_files' ;;\n");
    }
    strata_print("    esac\n}\n_strata \"$@\"\n");
}

static bool run(const struct command *c, strata_error *err)
{
    if (strcmp(c->words[0], "bash") == 0)
        print_bash();
    else if (strcmp(c->words[0], "zsh") == 0)
        print_zsh();
    else
        return strata_command_fail(
            err, STRATA_EUSAGE, "no completion for \"%s\"; there is one for bash and for zsh", c->words[0]);
    return true;
}

extern const struct verb strata_verb_completion;
const struct verb strata_verb_completion = {
    .name = "completion",
    .usage = "bash|zsh",
    .summary = "a script that completes strata's words in a shell",
    .details = "  source <(strata completion bash)\n",
    .words_least = 1,
    .words_most = 1,
    .run = run,
};
