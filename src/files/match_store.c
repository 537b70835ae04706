/* Which array of a .weights.h5 is which weight: layers/CLASS_COUNT/vars/NUMBER, nested models inside their layer's
 * group. Layers are matched by these keys, as Keras does, or by the names that Keras 3 notes beside.
 * Source: saving_lib.py of Keras 3 and of tf-keras. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "files/load.h"

/* What TensorFlow 2.12 and 2.13 wrote instead of "layers". */
#define OLD_LAYERS "_layer_checkpoint_dependencies"

bool strata_is_store(const struct h5 *file)
{
    return strata_h5_has(file, "layers") || strata_h5_has(file, OLD_LAYERS);
}

static const char *word(const struct h5 *file)
{
    return strata_h5_has(file, "layers") ? "layers" : OLD_LAYERS;
}

/* A model's key with the file's word for "layers". */
static char *key_in(const struct h5 *file, const char *key, strata_error *err)
{
    struct text text = { 0 };
    for (const char *at = key; at && *at;) {
        const char *slash = strchr(at, '/'), *next = slash ? strchr(slash + 1, '/') : NULL;
        const size_t length = !slash ? 0 : next ? (size_t)(next - slash) : strlen(slash);
        strata_text_add(&text, "%s%s", text.length > 0 ? "/" : "", word(file));
        if (slash) strata_text_add_bytes(&text, slash, length);
        at = next ? next + 1 : NULL;
    }
    return strata_text_take(&text, err);
}

/* ---- names ---- */

static bool has_name(const struct h5 *file, const char *group, const char *name, size_t length, bool *any,
                     bool *same, strata_error *err)
{
    char *noted = NULL, *vars;
    struct text path = { 0 };
    strata_text_add(&path, "%s/vars", group);
    vars = strata_text_take(&path, err);
    const bool ok = vars && strata_h5_text(file, vars, "name", &noted, err);
    *any = *any || noted;
    *same = noted && strlen(noted) == length && memcmp(noted, name, length) == 0;
    free(noted);
    free(vars);
    return ok;
}

/* The group in `around` (NULL: at the top) of the layer of that name; *found NULL: none. */
static bool find_named(const struct h5 *file, const char *around, const char *name, size_t length,
                       char **found, strata_error *err)
{
    struct text folder = { 0 };
    struct names children = { 0 };
    strata_text_add(&folder, "%s%s%s", around ? around : "", around ? "/" : "", word(file));
    char *path = strata_text_take(&folder, err);
    bool any = false, same = false, ok = path != NULL;
    *found = NULL;
    if (ok && strata_h5_has(file, path)) ok = strata_h5_children(file, path, &children, err);
    for (size_t i = 0; ok && !same && i < children.count; i++) {
        struct text group = { 0 };
        strata_text_add(&group, "%s/%s", path, children.list[i]);
        *found = strata_text_take(&group, err);
        ok = *found && has_name(file, *found, name, length, &any, &same, err);
        if (!same) {
            free(*found);
            *found = NULL;
        }
    }
    if (ok && children.count > 0 && !any)
        ok = strata_fail(err, STRATA_EFILE, "%s: it has no names of layers (Keras 2's format); load by order",
                         strata_h5_what(file));
    strata_names_release(&children);
    free(path);
    return ok;
}

/* The group of the layer at a path of names; *group NULL: there is none. */
static bool resolve(const struct h5 *file, const char *path, char **group, strata_error *err)
{
    char *around = NULL;
    *group = NULL;
    for (const char *at = path; at;) {
        const size_t length = strcspn(at, "/");
        char *found;
        if (!find_named(file, around, at, length, &found, err)) {
            free(around);
            return false;
        }
        free(around);
        around = found;
        at = found && at[length] == '/' ? at + length + 1 : NULL;
    }
    *group = around;
    return true;
}

/* ---- weights ---- */

static bool count_vars(const struct h5 *file, const char *group, size_t *count, strata_error *err)
{
    struct text path = { 0 };
    struct names vars = { 0 };
    strata_text_add(&path, "%s/vars", group);
    char *text = strata_text_take(&path, err);
    const bool ok = text && (!strata_h5_has(file, text) || strata_h5_children(file, text, &vars, err));
    *count = vars.count;
    strata_names_release(&vars);
    free(text);
    return ok;
}

static bool fail_count(const struct h5 *file, const struct leaf *leaf, size_t need, size_t has,
                       const char *group, strata_error *err)
{
    return strata_fail(err, STRATA_ESHAPE, "%s: layer %s has %zu weights in the model; the file has %zu (%s)",
                       strata_h5_what(file), leaf->path, need, has, group);
}

/* Leaves first .. first + count - 1 are those of one layer. */
static bool match_layer(struct load *load, const struct h5 *file, size_t first, size_t count,
                        strata_error *err)
{
    struct leaf *leaves = load->leaves.list + first;
    const bool by_name = load->options.by_name;
    char *group = NULL;
    size_t has = 0;
    bool ok =
        by_name ? resolve(file, leaves->path, &group, err) : (group = key_in(file, leaves->key, err)) != NULL;
    ok = ok && (!group || count_vars(file, group, &has, err));
    const bool fits = has == count, skip = by_name && (!group || load->options.skip_mismatch);
    if (ok && !fits && !skip) ok = fail_count(file, leaves, count, has, group ? group : "none", err);
    for (size_t i = 0; ok && i < count; i++) {
        struct text source = { 0 };
        leaves[i].mismatched = group && !fits;
        if (!fits) continue;
        strata_text_add(&source, "%s/vars/%zu", group, i);
        ok = (leaves[i].source = strata_text_take(&source, err)) != NULL;
    }
    free(group);
    return ok;
}

static bool wanted(const struct load *load, const char *source)
{
    for (size_t i = 0; i < load->leaves.count; i++)
        if (load->leaves.list[i].source && strcmp(load->leaves.list[i].source, source) == 0) return true;
    return false;
}

/* Of the form layers/X/layers/Y/vars/N. Others, such as the state of a random generator, are no weights. */
static bool is_weight(const char *path, const char *layers)
{
    const size_t length = strlen(layers);
    while (strncmp(path, layers, length) == 0 && path[length] == '/') {
        path += length + 1;
        path += strcspn(path, "/");
        path += *path == '/';
    }
    return strncmp(path, "vars/", 5) == 0;
}

static bool collect_unused(struct load *load, const struct h5 *file, strata_error *err)
{
    struct names arrays = { 0 };
    bool ok = strata_h5_arrays(file, word(file), &arrays, err);
    for (size_t i = 0; ok && i < arrays.count; i++)
        if (is_weight(arrays.list[i], word(file)) && !wanted(load, arrays.list[i]))
            ok = strata_names_add(&load->unused, arrays.list[i], err);
    strata_names_release(&arrays);
    if (ok && load->unused.count > 0 && !load->options.by_name)
        ok = strata_fail(err, STRATA_ESHAPE,
                         "%s: the model has no layer for %s; load by name to take what fits",
                         strata_h5_what(file), load->unused.list[0]);
    return ok;
}

bool strata_match_store(struct load *load, const struct h5 *file, strata_error *err)
{
    const struct leaves *leaves = &load->leaves;
    for (size_t i = 0, end; i < leaves->count; i = end) {
        for (end = i + 1; end < leaves->count && leaves->list[end].layer == leaves->list[i].layer;) end++;
        if (!match_layer(load, file, i, end - i, err)) return false;
    }
    return collect_unused(load, file, err);
}
