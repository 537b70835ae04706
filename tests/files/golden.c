#include "files/golden.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files/leaves.h"

void own_folder(void)
{
    char name[] = "files-XXXXXX";
    cr_assert(mkdtemp(name) && chdir(name) == 0);
}

const char *golden_path(const char *name, char *buffer)
{
    snprintf(buffer, 1024, "%s/files/%s", STRATA_GOLDEN, name);
    return buffer;
}

void each_golden(void (*check)(const char *name, struct h5 *expected, void *context), void *context)
{
    struct dirent **list;
    const int count = scandir(STRATA_GOLDEN "/files", &list, NULL, alphasort);
    cr_assert_gt(count, 0, "tests/golden/files cannot be listed");
    int found = 0;
    for (int i = 0; i < count; i++) {
        char path[1024];
        strata_error err = { 0 };
        const char *end = strstr(list[i]->d_name, ".expected.h5");
        if (end && end[12] == '\0') {
            struct h5 *expected = strata_h5_open(golden_path(list[i]->d_name, path), &err);
            cr_assert_not_null(expected, "%s", err.message);
            check(list[i]->d_name, expected, context);
            strata_h5_close(expected);
            found++;
        }
        free(list[i]);
    }
    free(list);
    cr_assert_gt(found, 0);
}

json_t *golden_json(struct h5 *expected, const char *attribute)
{
    strata_error err = { 0 };
    char *text;
    cr_assert(strata_h5_text(expected, "", attribute, &text, &err), "%s", err.message);
    json_t *json = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    cr_assert(!text || json, "attribute %s is not JSON", attribute);
    free(text);
    return json;
}

void check_weights(const char *what, const strata_model *model, struct h5 *expected, const char *group)
{
    struct leaves leaves = { 0 };
    struct names arrays = { 0 };
    strata_error err = { 0 };
    cr_assert(strata_leaves_collect(model, &leaves, &err), "%s", err.message);
    cr_assert(strata_h5_children(expected, group, &arrays, &err), "%s", err.message);
    cr_assert_eq(leaves.count, arrays.count, "%s: %zu weights, Keras has %zu", what, leaves.count,
                 arrays.count);
    for (size_t i = 0; i < leaves.count; i++) {
        char path[256];
        struct leaf *leaf = &leaves.list[i];
        float *values = calloc(leaf->info.count + 1, sizeof *values);
        snprintf(path, sizeof path, "%s/%s", group, arrays.list[i]);
        cr_assert(strata_leaf_fetch(leaf, &err), "%s", err.message);
        cr_assert(strata_h5_floats(expected, path, values, leaf->info.count, &err), "%s: %s", what,
                  err.message);
        cr_assert_eq(memcmp(values, leaf->values, leaf->info.count * sizeof *values), 0,
                     "%s: %s/%s differs from %s", what, leaf->path, leaf->info.name, path);
        free(values);
    }
    strata_names_release(&arrays);
    strata_leaves_release(&leaves);
}

void check_same_weights(const char *what, const strata_model *a, const strata_model *b)
{
    struct leaves x = { 0 }, y = { 0 };
    strata_error err = { 0 };
    cr_assert(strata_leaves_collect(a, &x, &err) && strata_leaves_collect(b, &y, &err), "%s", err.message);
    cr_assert_eq(x.count, y.count, "%s: %zu and %zu weights", what, x.count, y.count);
    for (size_t i = 0; i < x.count; i++) {
        cr_assert(strata_leaf_fetch(&x.list[i], &err) && strata_leaf_fetch(&y.list[i], &err), "%s",
                  err.message);
        cr_assert_str_eq(x.list[i].path, y.list[i].path, "%s", what);
        cr_assert_eq(x.list[i].info.count, y.list[i].info.count, "%s: %s", what, x.list[i].path);
        cr_assert_eq(memcmp(x.list[i].values, y.list[i].values, x.list[i].info.count * sizeof(float)), 0,
                     "%s: %s/%s differs", what, x.list[i].path, x.list[i].info.name);
    }
    strata_leaves_release(&x);
    strata_leaves_release(&y);
}
