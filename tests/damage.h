/* Files damaged in every way, tried in processes of their own. A program that includes it defines what to try.
 * STRATA_DAMAGED sets how many variants of each file are tried. */
#ifndef STRATA_TESTS_DAMAGE_H
#define STRATA_TESTS_DAMAGE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- variants ---- */

struct content {
    unsigned char *bytes;
    size_t size;
};

static struct content read_content(const char *path)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    fseek(file, 0, SEEK_END);
    struct content content = { .size = (size_t)ftell(file) };
    rewind(file);
    content.bytes = malloc(content.size);
    cr_assert_eq(fread(content.bytes, 1, content.size, file), content.size);
    fclose(file);
    return content;
}

static unsigned next(unsigned *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Changes some bytes; more often near the start, where the formats keep their structure. */
static void change(struct content *c, unsigned *state)
{
    static const unsigned char likely[] = { 0x00, 0xff, 0x7f, 0x80, 0x01 };
    const size_t within = next(state) % 2 ? c->size : c->size / 8;
    for (unsigned n = next(state) % 4 + 1; n > 0; n--) {
        const size_t at = next(state) % within;
        switch (next(state) % 4) {
        case 0:
            c->bytes[at] ^= (unsigned char)(1u << next(state) % 8);
            break;
        case 1:
            c->bytes[at] = likely[next(state) % sizeof likely];
            break;
        case 2:
            c->bytes[at] = (unsigned char)next(state);
            break;
        default:
            memset(c->bytes + at, (int)likely[next(state) % 2], at + 8 < c->size ? 8 : c->size - at);
        }
    }
}

static void write_variant(const char *path, const struct content *whole, unsigned number)
{
    unsigned state = number * 2654435761u + 1;
    struct content c = { malloc(whole->size), whole->size };
    memcpy(c.bytes, whole->bytes, whole->size);
    if (number % 5 == 0)
        c.size = next(&state) % whole->size;
    else
        change(&c, &state);
    FILE *file = fopen(path, "wb");
    cr_assert_eq(fwrite(c.bytes, 1, c.size, file), c.size);
    fclose(file);
    free(c.bytes);
}

/* ---- trying ---- */

/* What is tried with a variant. It ends its process by _exit(2) when something fails without words. */
typedef void try_variant(const char *path, void *context);

/* In a process of its own, with two gigabytes and ten seconds. */
static int try_apart(const char *path, try_variant *try, void *context)
{
    int status = 0;
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        const struct rlimit memory = { (rlim_t)2 << 30, (rlim_t)2 << 30 };
        if (!getenv("ASAN_OPTIONS")) setrlimit(RLIMIT_AS, &memory);
        alarm(10);
        try(path, context);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return status;
}

/* Tries variants of the file, each as `name` in the working folder. */
static void try_variants(const char *file, const char *name, try_variant *try, void *context)
{
    const char *asked = getenv("STRATA_DAMAGED");
    const unsigned count = asked ? (unsigned)atoi(asked) : 200;
    const struct content whole = read_content(file);
    unsigned bad = 0, first = 0;
    for (unsigned i = 0; i < count; i++) {
        write_variant(name, &whole, i);
        if (try_apart(name, try, context) != 0 && bad++ == 0) first = i;
    }
    cr_assert_eq(bad, 0, "%s: %u of %u variants ended badly; the first is %u", file, bad, count, first);
    free(whole.bytes);
}

#endif
