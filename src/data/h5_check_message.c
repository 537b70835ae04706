/* What arrays and attributes are, and the texts of attributes. */
#include <string.h>

#include "data/h5_check_priv.h"

enum { MOST_RANK = 32, MOST_NESTED = 8, MOST_FILTERS = 32 };

/* Classes of datatypes. */
enum {
    TYPE_INTEGER,
    TYPE_FLOAT,
    TYPE_TIME,
    TYPE_TEXT,
    TYPE_BITS,
    TYPE_OPAQUE,
    TYPE_COMPOUND,
    TYPE_REFERENCE,
    TYPE_ENUM,
    TYPE_VARIABLE,
    TYPE_ARRAY
};

/* ---- dataspaces ---- */

bool strata_h5_check_space(const struct h5_image *image, struct h5_part part, uint64_t at, uint64_t *count)
{
    const unsigned char *head = strata_h5_take(&part, 4);
    *count = 1;
    if (!head || head[0] < 1 || head[0] > 2 || head[1] > MOST_RANK || (head[2] & ~1u) != 0)
        return strata_h5_damaged(image, at, "extents that are none");
    if (head[0] == 1 && !strata_h5_take(&part, 4))
        return strata_h5_damaged(image, at, "extents that are short");
    if (head[0] == 2 && head[3] == 2) { /* the null space */
        *count = 0;
        return true;
    }
    const uint64_t rank = head[1];
    const unsigned char *dims = strata_h5_take(&part, rank * 8);
    if (!dims || (head[2] && !strata_h5_take(&part, rank * 8)))
        return strata_h5_damaged(image, at, "extents that are short");
    for (uint64_t i = 0; i < rank; i++) {
        const uint64_t dim = h5_number(dims + i * 8, 8);
        if (dim > 0 && *count > UINT64_MAX / dim / 16)
            return strata_h5_damaged(image, at, "extents that are too large");
        *count *= dim;
    }
    return true;
}

/* ---- datatypes ---- */

static bool check_integer(struct h5_part *part, uint64_t size)
{
    const unsigned char *bits = strata_h5_take(part, 4);
    const uint64_t offset = bits ? h5_number(bits, 2) : 0, precision = bits ? h5_number(bits + 2, 2) : 0;
    return precision > 0 && offset + precision <= size * 8;
}

/* head: the type's first eight bytes, with the place of the sign. */
static bool check_float(struct h5_part *part, const unsigned char *head, uint64_t size)
{
    const unsigned char *bits = strata_h5_take(part, 12);
    if (!bits) return false;
    const uint64_t offset = h5_number(bits, 2), precision = h5_number(bits + 2, 2), top = precision;
    return precision > 0 && offset + precision <= size * 8 && head[2] < top && bits[5] > 0 && bits[7] > 0
           && bits[4] + (uint64_t)bits[5] <= top && bits[6] + (uint64_t)bits[7] <= top;
}

/* Types of Keras's files are checked whole, of others the start; what is after those is not looked at. */
bool strata_h5_check_type(const struct h5_image *image, struct h5_part *part, uint64_t at, int depth)
{
    const unsigned char *head = strata_h5_take(part, 8);
    const uint64_t size = head ? h5_number(head + 4, 4) : 0;
    if (!head || size == 0 || head[0] >> 4 < 1 || head[0] >> 4 > 3 || depth > MOST_NESTED)
        return strata_h5_damaged(image, at, "a type that is none");
    bool ok = true;
    switch (head[0] & 15) {
    case TYPE_INTEGER:
        ok = check_integer(part, size);
        break;
    case TYPE_FLOAT:
        ok = check_float(part, head, size);
        break;
    case TYPE_TEXT:
        ok = size <= image->size;
        break;
    case TYPE_VARIABLE:
        return (size == 16 || strata_h5_damaged(image, at, "a type of variable length of a strange size"))
               && strata_h5_check_type(image, part, at, depth + 1);
    case TYPE_ENUM:
        return strata_h5_check_type(image, part, at, depth + 1);
    default:
        return strata_h5_damaged(image, at, "a type that Keras does not write");
    }
    return ok || strata_h5_damaged(image, at, "a type with bad sizes");
}

/* ---- fill values and filters ---- */

bool strata_h5_check_fill(const struct h5_image *image, struct h5_part part, uint64_t at, bool old)
{
    const unsigned char *head = old ? NULL : strata_h5_take(&part, 2);
    bool value = old;
    if (!old && head && head[0] == 3)
        value = (head[1] & 0x20) != 0;
    else if (!old) {
        const unsigned char *rest = head && (head[0] == 1 || head[0] == 2) ? strata_h5_take(&part, 2) : NULL;
        if (!rest) return strata_h5_damaged(image, at, "a fill value that is none");
        value = head[0] == 1 || rest[1] != 0;
    }
    if (!value) return true;
    const unsigned char *size = strata_h5_take(&part, 4);
    /* a negative size stands for no value */
    return (size && (h5_number(size, 4) > INT32_MAX || strata_h5_take(&part, h5_number(size, 4))))
           || strata_h5_damaged(image, at, "a fill value that is short");
}

bool strata_h5_check_filters(const struct h5_image *image, struct h5_part part, uint64_t at)
{
    const unsigned char *head = strata_h5_take(&part, 2);
    if (!head || head[0] < 1 || head[0] > 2 || head[1] == 0 || head[1] > MOST_FILTERS
        || (head[0] == 1 && !strata_h5_take(&part, 6)))
        return strata_h5_damaged(image, at, "filters that are none");
    for (int i = 0; i < head[1]; i++) {
        const unsigned char *id = strata_h5_take(&part, 2);
        const bool named = id && (head[0] == 1 || h5_number(id, 2) >= 256);
        const unsigned char *name = named ? strata_h5_take(&part, 2) : NULL;
        const unsigned char *rest = id && (name || !named) ? strata_h5_take(&part, 4) : NULL;
        if (!rest) return strata_h5_damaged(image, at, "filters that are short");
        const uint64_t length = name ? h5_number(name, 2) : 0, values = h5_number(rest + 2, 2);
        if (!strata_h5_take(&part, length) || !strata_h5_take(&part, 4 * values)
            || (head[0] == 1 && values % 2 == 1 && !strata_h5_take(&part, 4)))
            return strata_h5_damaged(image, at, "filters that are short");
    }
    return true;
}

/* ---- texts of variable length ---- */

/* Whether the collection of objects at `at` has object `index` of that many bytes; all its objects are looked at, for
 * HDF5 reads them all. */
static bool check_stored_text(const struct h5_image *image, uint64_t at, uint64_t index, uint64_t length)
{
    struct h5_part all;
    bool found = false;
    if (!strata_h5_part(image, at, 16, &all, "a text beyond the end")) return false;
    if (memcmp(all.at, "GCOL", 4) != 0 || all.at[4] != 1) return strata_h5_damaged(image, at, "no texts");
    const uint64_t size = h5_number(all.at + 8, 8);
    if (size < 4096 || !strata_h5_part(image, at, size, &all, "texts beyond the end"))
        return size >= 4096 ? false : strata_h5_damaged(image, at, "no texts");
    strata_h5_take(&all, 16);
    while (all.size >= 16) {
        const unsigned char *head = strata_h5_take(&all, 16);
        const uint64_t object = h5_number(head, 2), bytes = h5_number(head + 8, 8);
        if (object == 0) { /* the free rest, counted with its head */
            if (bytes < 16 || !strata_h5_take(&all, bytes - 16))
                return strata_h5_damaged(image, at, "texts that are longer than their place");
            continue;
        }
        if (bytes > all.size || !strata_h5_take(&all, (bytes + 7) / 8 * 8))
            return strata_h5_damaged(image, at, "texts that are longer than their place");
        if (object == index && (found || bytes != length))
            return strata_h5_damaged(image, at, "a text of another length");
        found = found || object == index;
    }
    return found || strata_h5_damaged(image, at, "no text of that number");
}

static bool check_texts(const struct h5_image *image, struct h5_part data, uint64_t count, uint64_t at)
{
    for (uint64_t i = 0; i < count; i++) {
        const unsigned char *reference = strata_h5_take(&data, 16);
        if (!reference) return strata_h5_damaged(image, at, "an attribute that is short");
        const uint64_t length = h5_number(reference, 4), where = h5_number(reference + 4, 8);
        if (where == 0 || where == H5_NOWHERE) {
            if (length != 0) return strata_h5_damaged(image, at, "a text that is nowhere");
        } else if (!check_stored_text(image, where, h5_number(reference + 12, 4), length)) {
            return false;
        }
    }
    return true;
}

/* ---- attributes ---- */

/* A part of an attribute; version 1 pads each to a multiple of eight bytes. */
static bool take_padded(struct h5_part *part, uint64_t size, bool padded, struct h5_part *taken)
{
    taken->at = strata_h5_take(part, padded ? (size + 7) / 8 * 8 : size);
    taken->size = size;
    return taken->at != NULL;
}

bool strata_h5_check_attribute(const struct h5_image *image, struct h5_part part, uint64_t at)
{
    const unsigned char *head = strata_h5_take(&part, 8);
    struct h5_part name, type, space;
    uint64_t count;
    if (!head || head[0] < 1 || head[0] > 3 || (head[0] > 1 && head[1] != 0)
        || (head[0] == 3 && !strata_h5_take(&part, 1)))
        return strata_h5_damaged(image, at, "an attribute that is none");
    const bool padded = head[0] == 1;
    if (!take_padded(&part, h5_number(head + 2, 2), padded, &name)
        || !take_padded(&part, h5_number(head + 4, 2), padded, &type)
        || !take_padded(&part, h5_number(head + 6, 2), padded, &space))
        return strata_h5_damaged(image, at, "an attribute that is short");
    if (name.size == 0 || !memchr(name.at, '\0', name.size))
        return strata_h5_damaged(image, at, "an attribute without a name");
    struct h5_part whole = type;
    if (!strata_h5_check_type(image, &type, at, 0) || !strata_h5_check_space(image, space, at, &count))
        return false;
    const uint64_t size = h5_number(whole.at + 4, 4);
    if (count > part.size / size) return strata_h5_damaged(image, at, "an attribute that is short");
    return (whole.at[0] & 15) != TYPE_VARIABLE || check_texts(image, part, count, at);
}
