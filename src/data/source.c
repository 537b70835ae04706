/* What the text or JSON object that names a source means. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fields.h"
#include "base/memory.h"
#include "data/sources_priv.h"

#define FASHION "/usr/share/datasets/fashion-mnist/" /* where Debian's package puts it */

enum { MEMORY_MIB = 512 };

/* The object form of a source. */
struct source {
    char *text;
    char *name[ARRAY_COUNT];
    long limit, one_hot, channels; /* 0: none */
    double memory;                 /* MiB */
    struct ints resize;            /* 0: none */
    int damaged;                   /* index of damaged_ways */
    json_t *augment;     /* NULL: none */
    double scale;        /* NAN: the source's own */
};

static const char *const damaged_ways[] = { "stop", "skip", NULL };

static bool parse_augment(const struct field *field, const json_t *json, enum flavour flavour, void *at,
                          strata_error *err)
{
    (void)flavour;
    if (json_is_null(json)) return true;
    if (!json_is_object(json) && !json_is_array(json))
        return strata_fail(err, STRATA_EJOB, "%s is %s; layers are expected, such as {\"RandomFlip\": {\"mode\": "
                           "\"horizontal\"}}", field->name, strata_json_kind(json));
    *(json_t **)at = json_incref((json_t *)json);
    return true;
}

static void release_augment(void *at)
{
    json_decref(*(json_t **)at);
    *(json_t **)at = NULL;
}

const struct field strata_source_fields[] = {
    { "source", FIELD_STRING, offsetof(struct source, text), .required = true, .help = "file or name of a dataset" },
    { "x", FIELD_STRING, offsetof(struct source, name[ARRAY_X]), .nullable = true, .null_default = true,
      .help = "name of the array of samples in the file" },
    { "y", FIELD_STRING, offsetof(struct source, name[ARRAY_Y]), .nullable = true, .null_default = true,
      .help = "name of the array or column of labels" },
    { "sample_weight", FIELD_STRING, offsetof(struct source, name[ARRAY_WEIGHT]), .nullable = true,
      .null_default = true, .help = "name of the array or column of sample weights" },
    { "limit", FIELD_INT, offsetof(struct source, limit), .min = 0, .max = 4294967295.0,
      .help = "use the first so many samples; 0: all" },
    { "scale", FIELD_FLOAT, offsetof(struct source, scale), .nullable = true, .null_default = true,
      .help = "x is multiplied by it" },
    { "one_hot", FIELD_INT, offsetof(struct source, one_hot), .min = 0, .max = 1 << 20,
      .help = "turn class indices into so many columns; 0: leave them" },
    { "resize", FIELD_INTS, offsetof(struct source, resize), .count = 2, .min = 0, .max = 65535,
      .help = "height and width to which images are resized, bilinearly; 0: leave them" },
    { "channels", FIELD_INT, offsetof(struct source, channels), .min = 0, .max = 4,
      .help = "of images: 1 (grey), 3 (colour) or 4 (with opacity); 0: 3 for pictures in a folder, else leave them" },
    { "damaged", FIELD_CHOICE, offsetof(struct source, damaged), .choices = damaged_ways,
      .help = "stop at a picture that cannot be read, or skip: read each when the source is opened, leave those out" },
    { "augment", FIELD_CUSTOM, offsetof(struct source, augment), .text = "null", .parse = parse_augment,
      .release = release_augment,
      .help = "layers through which samples go in training alone, such as RandomFlip and RandomRotation" },
    { "memory", FIELD_FLOAT, offsetof(struct source, memory), .otherwise = MEMORY_MIB, .min = 0, .max = 1e12,
      .help = "MiB up to which samples are taken into memory; more are read as they are needed" },
    { 0 },
};

const char *strata_names_get(const struct names *names, int which)
{
    static const char *const usual[ARRAY_COUNT] = { "x", "y", "sample_weight" };
    return names->of[which] ? names->of[which] : usual[which];
}

bool strata_names_optional(const struct names *names, int which)
{
    return which != ARRAY_X && !names->of[which];
}

/* ---- which reader ---------------------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with)
{
    const size_t length = strlen(text), tail = strlen(with);
    return length >= tail && strcmp(text + length - tail, with) == 0;
}

static bool read_fashion(const char *part, struct arrays *arrays, strata_error *err)
{
    struct stat found;
    const bool train = strcmp(part, "train") == 0;
    const char *images = train ? FASHION "train-images-idx3-ubyte.gz" : FASHION "t10k-images-idx3-ubyte.gz";
    const char *labels = train ? FASHION "train-labels-idx1-ubyte.gz" : FASHION "t10k-labels-idx1-ubyte.gz";
    if (!train && strcmp(part, "test") != 0)
        return strata_fail(err, STRATA_EJOB, "fashion-mnist:%s: it has \"train\" and \"test\"", part);
    if (stat(images, &found) != 0 || stat(labels, &found) != 0)
        return strata_fail(err, STRATA_EFILE, "fashion-mnist:%s: %s is not there; install it with: apt install "
                           "dataset-fashion-mnist", part, images);
    return strata_read_idx(images, labels, arrays, err);
}

/* "IMAGES,LABELS" */
static bool read_idx_pair(const char *pair, struct arrays *arrays, strata_error *err)
{
    const char *comma = strchr(pair, ',');
    if (!comma || comma == pair || !comma[1])
        return strata_fail(err, STRATA_EJOB, "idx:%s: two files are expected, as in idx:IMAGES,LABELS", pair);
    char *images = strata_copy_bytes(pair, (size_t)(comma - pair), err);
    const bool ok = images && strata_read_idx(images, comma + 1, arrays, err);
    free(images);
    return ok;
}

static bool refuse_names(const char *source, const struct names *names, int first, int last, strata_error *err)
{
    const struct names usual = { { NULL } };
    for (int which = first; which <= last; which++)
        if (names->of[which])
            return strata_fail(err, STRATA_EJOB, "%s: its arrays have no names; leave out \"%s\"", source,
                               strata_names_get(&usual, which));
    return true;
}

static bool read_file(const char *source, const struct names *names, struct arrays *arrays, strata_error *err)
{
    struct stat found;
    const char *colon = strchr(source, ':');
    if (begins(source, "fashion-mnist:"))
        return refuse_names(source, names, ARRAY_X, ARRAY_WEIGHT, err) && read_fashion(colon + 1, arrays, err);
    if (begins(source, "idx:"))
        return refuse_names(source, names, ARRAY_X, ARRAY_WEIGHT, err) && read_idx_pair(colon + 1, arrays, err);
    const bool hdf5 = ends(source, ".h5") || ends(source, ".hdf5"), npz = ends(source, ".npz");
    if (!hdf5 && !npz && !ends(source, ".csv"))
        return strata_fail(err, STRATA_EJOB, "\"%s\" is not a source; sources are fashion-mnist:train, "
                           "fashion-mnist:test, idx:IMAGES,LABELS, files that end in .h5, .hdf5, .npz or .csv, and "
                           "folders of pictures", source);
    if (stat(source, &found) != 0)
        return strata_fail(err, STRATA_EFILE, "%s: there is no such file", source);
    if (hdf5)
        return strata_read_hdf5(source, names, arrays, err);
    if (npz)
        return strata_read_npz(source, names, arrays, err);
    return refuse_names(source, names, ARRAY_X, ARRAY_X, err) && strata_read_csv(source, names, arrays, err);
}

static bool is_folder(const char *source)
{
    struct stat found;
    return stat(source, &found) == 0 && S_ISDIR(found.st_mode);
}

static bool read_source(const struct source *source, struct arrays *arrays, strata_error *err)
{
    const struct names names = { { source->name[ARRAY_X], source->name[ARRAY_Y], source->name[ARRAY_WEIGHT] } };
    const struct image_wish wish = { (size_t)source->resize.v[0], (size_t)source->resize.v[1], (size_t)source->channels,
                                     source->damaged != 0 };
    if ((wish.height == 0) != (wish.width == 0) || wish.channels == 2)
        return strata_fail(err, STRATA_EJOB, wish.channels == 2 ? "%s: channels is 2; it must be 1, 3 or 4"
                                                                : "%s: resize needs a height and a width", source->text);
    if (is_folder(source->text))
        return refuse_names(source->text, &names, ARRAY_X, ARRAY_WEIGHT, err)
               && strata_read_folder(source->text, &wish, arrays, err);
    if (wish.skip_damaged)
        return strata_fail(err, STRATA_EJOB, "%s: \"damaged\" is for folders of pictures", source->text);
    const bool resizes = wish.height > 0 || wish.channels > 0;
    arrays->later = arrays->later && !resizes; /* which takes a look at some */
    return read_file(source->text, &names, arrays, err) && (!resizes || strata_arrays_resize(arrays, &wish, source->text, err));
}

/* ---- what the object form adds --------------------------------------------------------------------------------- */

/* Class of sample i; false when its label is not an integer. */
static bool class_at(const struct column *y, size_t i, int64_t *class)
{
    switch (y->type) {
    case STRATA_UINT8: *class = ((const uint8_t *)y->values)[i]; return true;
    case STRATA_INT32: *class = ((const int32_t *)y->values)[i]; return true;
    case STRATA_INT64: *class = ((const int64_t *)y->values)[i]; return true;
    case STRATA_FLOAT32: break;
    }
    const float label = ((const float *)y->values)[i];
    *class = fabsf(label) < 0x1p24f ? (int64_t)label : -1;
    return (float)*class == label;
}

static bool one_hot(strata_data *data, size_t classes, strata_error *err)
{
    struct column *y = &data->y;
    if (!y->values || strata_shape_count(&y->shape) != 1)
        return strata_fail(err, STRATA_EJOB, "%s: one_hot needs one label a sample", data->name);
    float *rows = strata_alloc(data->count, classes * sizeof *rows, err);
    if (!rows)
        return false;
    for (size_t i = 0; i < data->count; i++) {
        int64_t class;
        if (!class_at(y, i, &class) || class < 0 || (size_t)class >= classes) {
            free(rows);
            return strata_fail(err, STRATA_EFILE, "%s: the label of sample %zu is not a class from 0 to %zu, which "
                               "one_hot %zu needs", data->name, i, classes - 1, classes);
        }
        rows[i * classes + (size_t)class] = 1;
    }
    free(y->values);
    *y = (struct column){ .type = STRATA_FLOAT32, .shape = { .rank = 1, .dim = { classes } }, .values = rows };
    return true;
}

static strata_data *open_source(const struct source *source, bool later, strata_error *err)
{
    struct arrays arrays = { .scale = 1, .later = later, .memory = (size_t)(source->memory * 0x1p20) };
    if (!read_source(source, &arrays, err)) {
        strata_arrays_free(&arrays);
        return NULL;
    }
    if (!isnan(source->scale))
        arrays.scale = (float)source->scale;
    strata_data *data = strata_data_adopt(&arrays, source->text, err);
    if (data) data->augment = json_incref(source->augment);
    if (data && source->limit > 0 && (size_t)source->limit < data->count)
        data->count = (size_t)source->limit;
    if (data && source->one_hot > 0 && !one_hot(data, (size_t)source->one_hot, err)) {
        strata_data_free(data);
        return NULL;
    }
    return data;
}

strata_data *strata_data_open_json(const json_t *json, bool later, strata_error *err)
{
    struct source source = { .scale = NAN, .memory = MEMORY_MIB };
    if (json_is_string(json)) {
        source.text = strata_copy_text(json_string_value(json), err);
    } else if (!json_is_object(json)) {
        strata_fail(err, STRATA_EJOB, "a source is a string or an object, not %s", strata_json_kind(json));
        return NULL;
    } else if (!strata_config_parse(strata_source_fields, json, STRATA_KERAS3, NULL, &source, err)) {
        err->code = err->code == STRATA_EMEMORY ? err->code : STRATA_EJOB;
        return NULL;
    }
    strata_data *data = source.text ? open_source(&source, later, err) : NULL;
    strata_config_release(strata_source_fields, &source);
    return data;
}

strata_data *strata_data_open(const char *text, strata_error *err)
{
    json_t *json = text[strspn(text, " \t\n")] == '{' ? strata_json_parse(text, strlen(text), "source", err)
                                                      : json_string(text);
    if (!json && err->code == STRATA_OK)
        strata_fail(err, STRATA_EFILE, "the source is not UTF-8 text");
    strata_data *data = json ? strata_data_open_json(json, false, err) : NULL;
    json_decref(json);
    return data;
}
