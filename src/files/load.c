#include "files/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/shape.h"

/* Arrays in a file, whatever the format. */
struct arrays {
    const void *file;
    const char *what;
    bool (*shape)(const void *file, const char *source, strata_shape *shape, strata_error *err);
    bool (*read)(const void *file, const char *source, float *values, size_t count, strata_error *err);
};

static struct shape inner(const strata_shape *shape)
{
    struct shape same = { .rank = shape->rank };
    for (int i = 0; i < shape->rank; i++) same.dim[i] = shape->dim[i];
    return same;
}

static bool same_shape(const strata_shape *a, const strata_shape *b)
{
    const struct shape x = inner(a), y = inner(b);
    return strata_shape_equal(&x, &y);
}

static bool fail_shape(const struct arrays *arrays, const struct leaf *leaf, const strata_shape *found,
                       strata_error *err)
{
    char has[STRATA_SHAPE_TEXT], needs[STRATA_SHAPE_TEXT];
    const struct shape a = inner(found), b = inner(&leaf->info.shape);
    return strata_fail(
        err, STRATA_ESHAPE,
        "%s: %s/%s has shape %s in the model and %s in the file (%s); load by name with skip_mismatch to "
        "leave it out",
        arrays->what, leaf->path, leaf->info.name, strata_shape_text(&b, NULL, needs),
        strata_shape_text(&a, NULL, has), leaf->source);
}

static bool read_leaf(const struct load *load, const struct arrays *arrays, struct leaf *leaf,
                      strata_error *err)
{
    strata_shape found;
    if (!leaf->source || leaf->mismatched) return true;
    if (!arrays->shape(arrays->file, leaf->source, &found, err)) return false;
    if (!same_shape(&found, &leaf->info.shape)) {
        leaf->mismatched = load->options.by_name && load->options.skip_mismatch;
        return leaf->mismatched || fail_shape(arrays, leaf, &found, err);
    }
    leaf->values = strata_alloc(leaf->info.count, sizeof *leaf->values, err);
    return leaf->values && arrays->read(arrays->file, leaf->source, leaf->values, leaf->info.count, err);
}

/* ---- what became of each ---- */

static bool write_report(struct load *load, strata_load_report *report, strata_error *err)
{
    struct names loaded = { 0 }, missing = { 0 }, mismatched = { 0 };
    bool ok = true;
    for (size_t i = 0; ok && i < load->leaves.count; i++) {
        const struct leaf *leaf = &load->leaves.list[i];
        struct names *to = leaf->mismatched ? &mismatched : leaf->source ? &loaded : &missing;
        ok = strata_names_adopt(to, strata_leaf_label(leaf, err), err);
    }
    ok = ok && (report->loaded = strata_names_take(&loaded, err))
         && (report->missing = strata_names_take(&missing, err))
         && (report->mismatched = strata_names_take(&mismatched, err))
         && (report->unused = strata_names_take(&load->unused, err));
    strata_names_release(&loaded);
    strata_names_release(&missing);
    strata_names_release(&mismatched);
    if (!ok) strata_load_report_free(report);
    return ok;
}

static void free_list(char **list)
{
    for (size_t i = 0; list && list[i]; i++) free(list[i]);
    free(list);
}

void strata_load_report_free(strata_load_report *report)
{
    if (!report) return;
    free_list(report->loaded);
    free_list(report->missing);
    free_list(report->unused);
    free_list(report->mismatched);
    *report = (strata_load_report){ 0 };
}

/* ---- the whole way ---- */

static bool start(struct load *load, strata_model *model, const strata_load_options *options,
                  const char *what, strata_error *err)
{
    *load = (struct load){ .model = model };
    if (options) load->options = *options;
    if (!strata_model_built(model))
        return strata_fail(
            err, STRATA_EVALUE,
            "%s: the model has no weights yet: build it, or give it an input shape, and load then", what);
    return strata_leaves_collect(model, &load->leaves, err);
}

static bool finish(struct load *load, const struct arrays *arrays, strata_load_report *report,
                   strata_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < load->leaves.count; i++)
        ok = read_leaf(load, arrays, &load->leaves.list[i], err);
    ok = ok && (!report || write_report(load, report, err));
    for (size_t i = 0; ok && i < load->leaves.count; i++) {
        const struct leaf *leaf = &load->leaves.list[i];
        if (leaf->values)
            ok = strata_layer_set_weight(leaf->layer, leaf->index, leaf->values, leaf->info.count, err);
    }
    if (!ok && report) strata_load_report_free(report);
    return ok;
}

static void release(struct load *load)
{
    strata_leaves_release(&load->leaves);
    strata_names_release(&load->unused);
}

static bool h5_shape(const void *file, const char *source, strata_shape *shape, strata_error *err)
{
    return strata_h5_shape(file, source, shape, err);
}

static bool h5_read(const void *file, const char *source, float *values, size_t count, strata_error *err)
{
    return strata_h5_floats(file, source, values, count, err);
}

static bool count_optimizer(const struct h5 *file, const char *group, size_t *count, strata_error *err)
{
    const char *where = group ? "optimizer_weights" : "optimizer/vars";
    struct names names = { 0 };
    *count = 0;
    if (!strata_h5_has(file, where)) return true;
    const bool ok = group ? strata_h5_texts(file, where, "weight_names", &names, err)
                          : strata_h5_children(file, where, &names, err);
    *count = names.count;
    strata_names_release(&names);
    return ok;
}

bool strata_load_h5(strata_model *model, const struct h5 *file, const strata_load_options *options,
                    strata_load_report *report, strata_error *err)
{
    const struct arrays arrays = { file, strata_h5_what(file), h5_shape, h5_read };
    const char *group = strata_legacy_group(file);
    struct load load;
    if (report) *report = (strata_load_report){ 0 };
    bool ok = start(&load, model, options, arrays.what, err);
    if (ok && group)
        ok = strata_match_legacy(&load, file, group, err);
    else if (ok && strata_is_store(file))
        ok = strata_match_store(&load, file, err);
    else if (ok)
        ok = strata_fail(err, STRATA_EFILE,
                         "%s: an HDF5 file, but not one of Keras: it has neither layer_names nor layers",
                         arrays.what);
    size_t variables = 0;
    ok = ok && (!report || count_optimizer(file, group, &variables, err)) && finish(&load, &arrays, report, err);
    if (ok && report) report->optimizer_variables = variables;
    release(&load);
    return ok;
}

static bool npz_shape(const void *file, const char *source, strata_shape *shape, strata_error *err)
{
    return strata_npz_shape(file, source, shape, err);
}

static bool npz_read(const void *file, const char *source, float *values, size_t count, strata_error *err)
{
    return strata_npz_floats(file, source, values, count, err);
}

bool strata_load_npz(strata_model *model, const struct npz *file, const strata_load_options *options,
                     strata_load_report *report, strata_error *err)
{
    const struct arrays arrays = { file, strata_npz_what(file), npz_shape, npz_read };
    struct load load;
    if (report) *report = (strata_load_report){ 0 };
    const bool ok = start(&load, model, options, arrays.what, err) && strata_match_npz(&load, file, err)
                    && finish(&load, &arrays, report, err);
    release(&load);
    return ok;
}
