/* Files damaged in every way: an error or a model, never a crash, a hang or memory out of proportion.
 * STRATA_DAMAGED sets how many variants of each file are tried. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files/archive.h"
#include "files/golden.h"

TestSuite(damaged, .init = own_folder, .timeout = 600);

/* ---- variants ---- */

struct content {
    unsigned char *bytes;
    size_t size;
};

static struct content read_file(const char *name)
{
    char path[1024];
    FILE *file = fopen(golden_path(name, path), "rb");
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

static void try_file(const char *path, strata_model *model)
{
    strata_error err = { 0 };
    struct saved_training training;
    strata_model *loaded = strata_archive_load(path, &training, &err);
    if (!loaded && err.message[0] == '\0') _exit(2); /* an error without words */
    strata_saved_training_release(&training);
    strata_model_free(loaded);
    err = (strata_error){ 0 };
    if (!strata_model_load_weights(model, path, NULL, NULL, &err) && err.message[0] == '\0') _exit(2);
}

/* In a process of its own, with two gigabytes and ten seconds. */
static int try_apart(const char *path, strata_model *model)
{
    int status = 0;
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        const struct rlimit memory = { (rlim_t)2 << 30, (rlim_t)2 << 30 };
        if (!getenv("ASAN_OPTIONS")) setrlimit(RLIMIT_AS, &memory);
        alarm(10);
        try_file(path, model);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return status;
}

static void damage(const char *file)
{
    char path[1024];
    strata_error err = { 0 };
    const char *asked = getenv("STRATA_DAMAGED");
    const unsigned count = asked ? (unsigned)atoi(asked) : 200;
    const struct content whole = read_file(file);
    strata_model *model = strata_model_load(golden_path("digits_mlp_keras3.keras", path), &err);
    cr_assert_not_null(model, "%s", err.message);
    snprintf(path, sizeof path, "variant%s", strrchr(file, '.'));
    unsigned bad = 0, first = 0;
    for (unsigned i = 0; i < count; i++) {
        write_variant(path, &whole, i);
        if (try_apart(path, model) != 0 && bad++ == 0) first = i;
    }
    cr_assert_eq(bad, 0, "%s: %u of %u variants ended badly; the first is %u", file, bad, count, first);
    strata_model_free(model);
    free(whole.bytes);
}

Test(damaged, h5_of_keras_2_is_refused_or_read)
{
    damage("digits_mlp_keras2.h5");
}

Test(damaged, h5_of_keras_3_is_refused_or_read)
{
    damage("digits_mlp_keras3.h5");
}

Test(damaged, weights_of_keras_2_are_refused_or_read)
{
    damage("digits_mlp_keras2_weights.h5");
}

Test(damaged, weights_of_keras_3_are_refused_or_read)
{
    damage("digits_mlp_keras3.weights.h5");
}

Test(damaged, archives_of_keras_3_are_refused_or_read)
{
    damage("digits_mlp_keras3.keras");
}
