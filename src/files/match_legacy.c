/* Which array of a legacy .h5 (Keras 2, and Keras 3's .h5) is which weight.
 *
 * The file lists layers, and for each the names of its weights. Layers are matched by name, or in order among those
 * that have weights. Inside a layer the names decide and not the order, because a nested model's order depends on what
 * was frozen when it was saved: trainable weights first, then the others.
 * Source: load_weights_from_hdf5_group and _by_name of legacy_h5_format.py (Keras 3) and hdf5_format.py (Keras 2). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "files/load.h"

const char *strata_legacy_group(const struct h5 *file)
{
    const char *groups[] = { "", "model_weights" };
    for (int i = 0; i < 2; i++)
        if (strata_h5_has_attribute(file, groups[i], "layer_names")
            || strata_h5_has_attribute(file, groups[i], "layer_names0"))
            return groups[i];
    return NULL;
}

/* A layer in the file. */
struct section {
    char *group; /* path of its group */
    const char *name;
    struct names weights; /* "stem_bn/gamma:0", below the group */
};

struct sections {
    struct section *list;
    size_t count;
    struct names layers;
};

/* One layer of the model: leaves first .. first + count - 1 of the list. */
struct range {
    size_t first, count;
};

/* ---- names ---- */

/* Length of a weight's name without Keras 2's ":0". */
static size_t bare(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon && colon[1 + strspn(colon + 1, "0123456789")] == '\0' ? (size_t)(colon - name)
                                                                       : strlen(name);
}

/* Where the last part of name[0 .. length) begins. */
static size_t last_part(const char *name, size_t length)
{
    while (length > 0 && name[length - 1] != '/') length--;
    return length;
}

static bool is_weight(const struct leaf *leaf, const char *part, size_t length)
{
    const char *names[] = { leaf->info.name, leaf->info.keras2 };
    for (int i = 0; i < 2; i++)
        if (names[i] && strlen(names[i]) == length && memcmp(names[i], part, length) == 0) return true;
    return false;
}

/* How many parts of a weight's name, from the end, agree with a leaf's: 0 when the weight's own does not. */
static int agreement(const struct leaf *leaf, const char *name)
{
    const size_t end = bare(name);
    size_t at = last_part(name, end), path = strlen(leaf->path);
    if (!is_weight(leaf, name + at, end - at)) return 0;
    int parts = 1;
    while (at > 0 && path > 0) {
        const size_t name_end = at - 1, name_at = last_part(name, name_end);
        const size_t path_at = last_part(leaf->path, path);
        if (name_end - name_at != path - path_at
            || memcmp(name + name_at, leaf->path + path_at, path - path_at) != 0)
            break;
        parts++;
        at = name_at;
        path = path_at > 0 ? path_at - 1 : 0;
    }
    return parts;
}

/* ---- reading the lists ---- */

static void release_sections(struct sections *sections)
{
    for (size_t i = 0; i < sections->count; i++) {
        free(sections->list[i].group);
        strata_names_release(&sections->list[i].weights);
    }
    free(sections->list);
    strata_names_release(&sections->layers);
}

static bool read_section(const struct h5 *file, const char *group, struct section *section, strata_error *err)
{
    struct text path = { 0 };
    strata_text_add(&path, "%s%s%s", group, *group ? "/" : "", section->name);
    section->group = strata_text_take(&path, err);
    return section->group && strata_h5_texts(file, section->group, "weight_names", &section->weights, err);
}

static bool read_sections(const struct h5 *file, const char *group, struct sections *sections,
                          strata_error *err)
{
    if (!strata_h5_texts(file, group, "layer_names", &sections->layers, err)) return false;
    sections->list = strata_alloc(sections->layers.count, sizeof *sections->list, err);
    for (size_t i = 0; sections->list && i < sections->layers.count; i++) {
        struct section *section = &sections->list[sections->count++];
        section->name = sections->layers.list[i];
        if (!read_section(file, group, section, err)) return false;
    }
    return sections->list != NULL;
}

/* ---- inside one layer ---- */

static bool claim(struct leaf *leaf, const struct section *section, size_t weight, strata_error *err)
{
    struct text source = { 0 };
    strata_text_add(&source, "%s/%s", section->group, section->weights.list[weight]);
    leaf->source = strata_text_take(&source, err);
    return leaf->source != NULL;
}

/* The leaf that a name means; count when none or several do. */
static size_t meant(const struct load *load, struct range range, const char *name)
{
    size_t best = range.count;
    int most = 0;
    bool tie = false;
    for (size_t i = 0; i < range.count; i++) {
        const struct leaf *leaf = &load->leaves.list[range.first + i];
        /* in a nested model the name of a weight alone ("kernel") says nothing */
        const int need = strchr(leaf->path, '/') ? 2 : 1, parts = agreement(leaf, name);
        if (parts < need) continue;
        tie = parts == most;
        if (parts > most) {
            most = parts;
            best = i;
        }
    }
    return tie ? range.count : best;
}

/* to[i]: the weight of the section that leaf i is; false when the names do not tell. */
static bool by_weight_names(const struct load *load, struct range range, const struct section *section,
                            size_t *to)
{
    for (size_t i = 0; i < range.count; i++) to[i] = SIZE_MAX;
    for (size_t w = 0; w < range.count; w++) {
        const size_t i = meant(load, range, section->weights.list[w]);
        if (i == range.count || to[i] != SIZE_MAX) return false;
        to[i] = w;
    }
    return true;
}

/* A name's part before the weight's own: the layer that it belongs to, whatever it was called. */
static bool same_owner(const char *a, const char *b)
{
    const size_t x = last_part(a, bare(a)), y = last_part(b, bare(b));
    return x == y && memcmp(a, b, x) == 0;
}

/* Weights of a file that are given to the leaves of a model one layer at a time. */
struct dealing {
    const struct leaf *leaves;
    const struct names *weights;
    size_t count; /* of both */
    bool *used;   /* weights that are given */
    size_t *to;
};

/* Gives leaves first .. end - 1, those of one layer, the weights of the first owner that has some left, each by its own
 * name. */
static bool deal_layer(struct dealing *d, size_t first, size_t end)
{
    size_t owner = 0;
    while (owner < d->count && d->used[owner]) owner++;
    for (size_t i = first; i < end; i++) {
        size_t w = owner;
        while (w < d->count
               && (d->used[w] || !same_owner(d->weights->list[w], d->weights->list[owner])
                   || agreement(&d->leaves[i], d->weights->list[w]) == 0))
            w++;
        if (w == d->count) return false;
        d->used[w] = true;
        d->to[i] = w;
    }
    return true;
}

/* Deals to all layers in order, or to those whose first weight trains or does not. */
static bool deal(struct dealing *d, const bool *trainable)
{
    for (size_t i = 0, end; i < d->count; i = end) {
        for (end = i + 1; end < d->count && d->leaves[end].layer == d->leaves[i].layer;) end++;
        if ((!trainable || d->leaves[i].info.trainable == *trainable) && !deal_layer(d, i, end)) return false;
    }
    return true;
}

/* Where the layers in a nested model have other names: the k-th owner of weights in the file is the k-th layer with
 * weights in the model. In a file that has trainable weights first, a layer with none comes last: `trainable_first`
 * puts it there. */
static bool by_owners(const struct load *load, struct range range, const struct section *section,
                      bool trainable_first, size_t *to)
{
    const bool yes = true, no = false;
    struct dealing d = { load->leaves.list + range.first, &section->weights, range.count,
                         calloc(range.count, sizeof(bool)), to };
    const bool ok = d.used && (trainable_first ? deal(&d, &yes) && deal(&d, &no) : deal(&d, NULL));
    free(d.used);
    return ok;
}

/* One plain layer whose weights have names of their own: Keras's order. */
static bool by_order(const struct load *load, struct range range, size_t *to)
{
    for (size_t i = 0; i < range.count; i++) {
        to[i] = i;
        if (load->leaves.list[range.first + i].layer != load->leaves.list[range.first].layer) return false;
    }
    return true;
}

static bool fail_count(const struct load *load, const struct h5 *file, struct range range,
                       const struct section *section, strata_error *err)
{
    const char *path = load->leaves.list[range.first].path;
    return strata_fail(err, STRATA_ESHAPE,
                       "%s: layer %.*s has %zu weights in the model; %s has %zu in the file",
                       strata_h5_what(file), (int)strcspn(path, "/"), path, range.count, section->name,
                       section->weights.count);
}

static bool match_inside(struct load *load, const struct h5 *file, struct range range,
                         const struct section *section, strata_error *err)
{
    if (section->weights.count != range.count) {
        if (!load->options.by_name || !load->options.skip_mismatch)
            return fail_count(load, file, range, section, err);
        for (size_t i = 0; i < range.count; i++) load->leaves.list[range.first + i].mismatched = true;
        return true;
    }
    size_t *to = strata_alloc(range.count, sizeof *to, err);
    if (!to) return false;
    bool ok = by_weight_names(load, range, section, to) || by_owners(load, range, section, false, to)
              || by_owners(load, range, section, true, to) || by_order(load, range, to)
              || strata_fail(err, STRATA_EFILE,
                             "%s: layer %s: the names of its weights (%s, ...) fit no layers of the model",
                             strata_h5_what(file), section->name, section->weights.list[0]);
    for (size_t i = 0; ok && i < range.count; i++)
        ok = claim(&load->leaves.list[range.first + i], section, to[i], err);
    free(to);
    return ok;
}

/* ---- layers ---- */

static struct range next_layer(const struct load *load, size_t first)
{
    struct range range = { first, 0 };
    while (first + range.count < load->leaves.count
           && load->leaves.list[first + range.count].top == load->leaves.list[first].top)
        range.count++;
    return range;
}

static bool named(const struct load *load, struct range range, const char *name)
{
    const strata_layer *layer = strata_model_layer(load->model, load->leaves.list[range.first].top);
    return strcmp(strata_layer_name(layer), name) == 0;
}

static const struct section *next_section(const struct sections *sections, size_t *at)
{
    while (*at < sections->count && sections->list[*at].weights.count == 0) (*at)++;
    return *at < sections->count ? &sections->list[(*at)++] : NULL;
}

static size_t count_layers(const struct load *load)
{
    size_t count = 0;
    for (size_t i = 0; i < load->leaves.count; i += next_layer(load, i).count) count++;
    return count;
}

static size_t count_sections(const struct sections *sections)
{
    size_t count = 0;
    for (size_t i = 0; i < sections->count; i++) count += sections->list[i].weights.count > 0;
    return count;
}

static bool match_in_order(struct load *load, const struct h5 *file, const struct sections *sections,
                           strata_error *err)
{
    if (count_layers(load) != count_sections(sections))
        return strata_fail(
            err, STRATA_ESHAPE,
            "%s: it has %zu layers with weights, the model %zu; load by name to take what fits",
            strata_h5_what(file), count_sections(sections), count_layers(load));
    size_t at = 0;
    for (size_t i = 0; i < load->leaves.count;) {
        const struct range range = next_layer(load, i);
        const struct section *section = next_section(sections, &at);
        if (!match_inside(load, file, range, section, err)) return false;
        i += range.count;
    }
    return true;
}

static bool match_by_name(struct load *load, const struct h5 *file, const struct sections *sections,
                          strata_error *err)
{
    for (size_t i = 0; i < load->leaves.count;) {
        const struct range range = next_layer(load, i);
        for (size_t s = 0; s < sections->count; s++)
            if (sections->list[s].weights.count > 0 && named(load, range, sections->list[s].name)) {
                if (!match_inside(load, file, range, &sections->list[s], err)) return false;
                break;
            }
        i += range.count;
    }
    return true;
}

/* ---- what is left ---- */

static bool wanted(const struct load *load, const struct section *section, const char *weight)
{
    const size_t length = strlen(section->group);
    for (size_t i = 0; i < load->leaves.count; i++) {
        const char *source = load->leaves.list[i].source;
        if (source && strncmp(source, section->group, length) == 0 && source[length] == '/'
            && strcmp(source + length + 1, weight) == 0)
            return true;
    }
    return false;
}

/* "dense/kernel", "base/conv_a/kernel": the layer, and of the weight's name what follows the layer's. */
static bool add_unused(struct load *load, const struct section *section, const char *weight,
                       strata_error *err)
{
    const size_t end = bare(weight), at = last_part(weight, end);
    const size_t owner = at > 0 ? last_part(weight, at - 1) : 0;
    const bool own = at > 0 && at - 1 - owner == strlen(section->name)
                     && memcmp(weight + owner, section->name, at - 1 - owner) == 0;
    const size_t from = own || at == 0 ? at : owner;
    struct text label = { 0 };
    strata_text_add(&label, "%s/%.*s", section->name, (int)(end - from), weight + from);
    return strata_names_adopt(&load->unused, strata_text_take(&label, err), err);
}

static bool collect_unused(struct load *load, const struct sections *sections, strata_error *err)
{
    for (size_t i = 0; i < sections->count; i++) {
        const struct section *section = &sections->list[i];
        for (size_t w = 0; w < section->weights.count; w++)
            if (!wanted(load, section, section->weights.list[w])
                && !add_unused(load, section, section->weights.list[w], err))
                return false;
    }
    return true;
}

bool strata_match_legacy(struct load *load, const struct h5 *file, const char *group, strata_error *err)
{
    struct sections sections = { 0 };
    const bool ok = read_sections(file, group, &sections, err)
                    && (load->options.by_name ? match_by_name(load, file, &sections, err)
                                              : match_in_order(load, file, &sections, err))
                    && collect_unused(load, &sections, err);
    release_sections(&sections);
    return ok;
}
