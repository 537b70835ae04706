/* The superblock and object headers. */
#include "data/h5_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/h5_check_priv.h"

enum {
    MOST_CHUNKS = 1000, /* pieces of one object header */
    DEEPEST = 100,      /* groups in groups */
    DEFAULT_CHUNK_K = 32
};

/* Message types. */
enum {
    MESSAGE_SPACE = 0x01,
    MESSAGE_TYPE = 0x03,
    MESSAGE_OLD_FILL = 0x04,
    MESSAGE_FILL = 0x05,
    MESSAGE_EXTERNAL = 0x07,
    MESSAGE_LAYOUT = 0x08,
    MESSAGE_FILTERS = 0x0b,
    MESSAGE_ATTRIBUTE = 0x0c,
    MESSAGE_CONTINUED = 0x10,
    MESSAGE_GROUP = 0x11
};

bool strata_h5_damaged(const struct h5_image *image, uint64_t at, const char *something)
{
    return strata_fail(image->err, STRATA_EFILE, "%s: damaged HDF5 file: %s at byte %llu", image->what,
                       something, (unsigned long long)at);
}

bool strata_h5_part(const struct h5_image *image, uint64_t at, uint64_t size, struct h5_part *part,
                    const char *something)
{
    *part = (struct h5_part){ 0 };
    if (at > image->size || size > image->size - at) return strata_h5_damaged(image, at, something);
    *part = (struct h5_part){ image->bytes + at, size };
    return true;
}

const unsigned char *strata_h5_take(struct h5_part *part, uint64_t size)
{
    if (size > part->size) return NULL;
    const unsigned char *at = part->at;
    part->at += size;
    part->size -= size;
    return at;
}

/* ---- object headers ---- */

/* Where the address is in the sorted list, or belongs. */
static size_t place_of(const struct h5_image *image, uint64_t at)
{
    size_t low = 0, high = image->seen_count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (image->seen[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool remember(struct h5_image *image, uint64_t at, bool *known)
{
    const size_t place = place_of(image, at);
    void *seen = image->seen;
    *known = place < image->seen_count && image->seen[place] == at;
    if (*known) return true;
    if (!strata_reserve(&seen, &image->seen_room, image->seen_count + 1, sizeof *image->seen, image->err))
        return false;
    image->seen = seen;
    memmove(image->seen + place + 1, image->seen + place, (image->seen_count - place) * sizeof *image->seen);
    image->seen[place] = at;
    image->seen_count++;
    return true;
}

static bool check_group_message(struct h5_image *image, struct h5_part part, uint64_t at, int depth)
{
    const unsigned char *addresses = strata_h5_take(&part, 16);
    return addresses
               ? strata_h5_check_group(image, h5_number(addresses, 8), h5_number(addresses + 8, 8), depth)
               : strata_h5_damaged(image, at, "a group's message is short");
}

static bool check_message(struct h5_image *image, unsigned type, struct h5_part part, uint64_t at, int depth)
{
    uint64_t count;
    if (image->look == LOOK_AT_GROUPS && type != MESSAGE_GROUP) return true;
    switch (type) {
    case MESSAGE_SPACE:
        return strata_h5_check_space(image, part, at, &count);
    case MESSAGE_TYPE:
        return strata_h5_check_type(image, &part, at, 0);
    case MESSAGE_OLD_FILL:
    case MESSAGE_FILL:
        return strata_h5_check_fill(image, part, at, type == MESSAGE_OLD_FILL);
    case MESSAGE_LAYOUT:
        return strata_h5_check_layout(image, part, at);
    case MESSAGE_FILTERS:
        return strata_h5_check_filters(image, part, at);
    case MESSAGE_EXTERNAL:
        return image->look != LOOK_AT_ARRAY
               || strata_h5_damaged(image, at, "numbers that lie in other files, which are not read,");
    case MESSAGE_ATTRIBUTE:
        return image->look == LOOK_AT_ARRAY || strata_h5_check_attribute(image, part, at);
    case MESSAGE_GROUP:
        return check_group_message(image, part, at, depth);
    default:
        return true;
    }
}

/* Messages and the chunks that hold them, while an object header is read. */
struct header {
    uint64_t messages; /* still to come */
    struct {
        uint64_t at, size;
    } chunks[MOST_CHUNKS];
    int chunk_count;
};

static bool add_chunk(const struct h5_image *image, struct header *header, struct h5_part part, uint64_t at)
{
    const unsigned char *where = strata_h5_take(&part, 16);
    if (!where || header->chunk_count == MOST_CHUNKS)
        return strata_h5_damaged(image, at, "an object header that is continued wrongly");
    header->chunks[header->chunk_count].at = h5_number(where, 8);
    header->chunks[header->chunk_count++].size = h5_number(where + 8, 8);
    return true;
}

static bool check_chunk(struct h5_image *image, struct header *header, int chunk, int depth)
{
    struct h5_part part;
    const uint64_t from = header->chunks[chunk].at;
    if (!strata_h5_part(image, from, header->chunks[chunk].size, &part, "an object header beyond the end"))
        return false;
    while (header->messages > 0 && part.size >= 8) {
        const uint64_t at = (uint64_t)(part.at - image->bytes);
        const unsigned char *head = strata_h5_take(&part, 8);
        const unsigned type = (unsigned)h5_number(head, 2), flags = head[4];
        struct h5_part body = { part.at, h5_number(head + 2, 2) };
        if (!strata_h5_take(&part, body.size))
            return strata_h5_damaged(image, at, "a message longer than its header");
        if ((flags & 2) && image->look != LOOK_AT_GROUPS)
            return strata_h5_damaged(image, at, "a shared message, which Keras does not write,");
        header->messages--;
        if (type == MESSAGE_CONTINUED ? !add_chunk(image, header, body, at)
                                      : !check_message(image, type, body, at, depth))
            return false;
    }
    return true;
}

static bool check_header(struct h5_image *image, const unsigned char *prefix, uint64_t at, int depth)
{
    struct header *header = strata_alloc(1, sizeof *header, image->err);
    if (!header) return false;
    header->messages = h5_number(prefix + 2, 2);
    header->chunks[0].at = at + 16;
    header->chunks[0].size = h5_number(prefix + 8, 4);
    header->chunk_count = 1;
    bool ok = true;
    for (int i = 0; ok && i < header->chunk_count; i++) ok = check_chunk(image, header, i, depth);
    ok = ok
         && (header->messages == 0
             || strata_h5_damaged(image, at, "an object header without all its messages"));
    free(header);
    return ok;
}

bool strata_h5_check_object(struct h5_image *image, uint64_t at, int depth)
{
    struct h5_part part;
    bool known;
    if (depth > DEEPEST) return strata_h5_damaged(image, at, "a group too deep in others");
    if (!remember(image, at, &known) || known) return known;
    if (!strata_h5_part(image, at, 16, &part, "an object beyond the end")) return false;
    if (memcmp(part.at, "OHDR", 4) == 0) /* the newer kind, with a checksum */
        return true;
    return part.at[0] == 1 ? check_header(image, part.at, at, depth)
                           : strata_h5_damaged(image, at, "no object");
}

/* ---- the file ---- */

bool strata_h5_check_superblock(struct h5_image *image)
{
    const unsigned char *b = image->bytes;
    const uint64_t addresses = b[8] == 0 ? 24 : 28;
    struct h5_part part;
    if (!strata_h5_part(image, addresses, 72, &part, "the end of the file too early, ")) return false;
    if (b[13] != 8 || b[14] != 8) return strata_h5_damaged(image, 13, "sizes of addresses other than 8");
    image->leaf_k = (unsigned)h5_number(b + 16, 2);
    image->group_k = (unsigned)h5_number(b + 18, 2);
    image->chunk_k = b[8] == 0 ? DEFAULT_CHUNK_K : (unsigned)h5_number(b + 24, 2);
    if (image->leaf_k == 0 || image->group_k == 0 || image->chunk_k == 0)
        return strata_h5_damaged(image, 16, "trees without entries");
    if (h5_number(part.at, 8) != 0 || h5_number(part.at + 24, 8) != H5_NOWHERE)
        return strata_h5_damaged(image, addresses, "a base address or driver, which Keras does not write,");
    if (h5_number(part.at + 16, 8) > image->size)
        return strata_fail(image->err, STRATA_EFILE, "%s: it is cut off: %llu bytes of %llu are there",
                           image->what, (unsigned long long)image->size,
                           (unsigned long long)h5_number(part.at + 16, 8));
    return true;
}

static bool check_root(struct h5_image *image)
{
    const unsigned char *entry = image->bytes + (image->bytes[8] == 0 ? 24 : 28) + 32;
    /* HDF5 may take the root's tree from here instead of its header */
    if (h5_number(entry + 16, 4) == 1
        && !strata_h5_check_group(image, h5_number(entry + 24, 8), h5_number(entry + 32, 8), 0))
        return false;
    return strata_h5_check_object(image, h5_number(entry + 8, 8), 0);
}

static bool begin(struct h5_image *image)
{
    if (image->size < 16 || memcmp(image->bytes, "\x89HDF\r\n\x1a\n", 8) != 0)
        return strata_fail(image->err, STRATA_EFILE, "%s: not an HDF5 file", image->what);
    return true;
}

static bool check(struct h5_image *image)
{
    if (!begin(image)) return false;
    if (image->bytes[8] > 1) return true;
    const bool ok = strata_h5_check_superblock(image) && check_root(image);
    free(image->seen);
    return ok;
}

bool strata_h5_check(const void *bytes, size_t size, const char *what, strata_error *err)
{
    struct h5_image image = { .bytes = bytes, .size = size, .what = what, .err = err };
    return check(&image);
}

bool strata_h5_check_file(const char *path, strata_error *err)
{
    struct h5_map map = { 0 };
    const bool ok = strata_h5_map_open(&map, path, err) && strata_h5_check(map.bytes, map.size, path, err);
    strata_h5_map_close(&map);
    return ok;
}

/* ---- data -------------------------------------------------------------------------------------------------------- */

static struct h5_image image_of(const struct h5_map *map, strata_error *err)
{
    return (struct h5_image){ .bytes = map->bytes, .size = map->size, .what = map->path, .err = err };
}

bool strata_h5_check_groups(const struct h5_map *map, strata_error *err)
{
    struct h5_image image = image_of(map, err);
    image.look = LOOK_AT_GROUPS;
    return check(&image);
}

bool strata_h5_check_array(const struct h5_map *map, uint64_t address, struct h5_layout *layout, strata_error *err)
{
    struct h5_image image = image_of(map, err);
    *layout = (struct h5_layout){ 0 };
    image.look = LOOK_AT_ARRAY;
    image.layout = layout;
    if (image.bytes[8] > 1) return true;
    const bool ok = strata_h5_check_superblock(&image) && strata_h5_check_object(&image, address, 0);
    free(image.seen);
    return ok;
}

bool strata_h5_visit_chunks(const struct h5_map *map, uint64_t tree, int rank, h5_visit *visit, void *context,
                            strata_error *err)
{
    struct h5_image image = image_of(map, err);
    image.visit = visit;
    image.context = context;
    return strata_h5_check_superblock(&image) && strata_h5_check_chunks(&image, tree, 16 + 8 * (uint64_t)rank);
}
