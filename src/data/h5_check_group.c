/* Groups, and the trees that find names and chunks. */
#include <string.h>

#include "data/h5_check_priv.h"

enum { HIGHEST = 32 }; /* levels of a tree */

/* ---- heaps of names ---- */

/* Free blocks are a chain of (next, size); 1 ends it. */
static bool check_free_blocks(const struct h5_image *image, struct h5_part names, uint64_t first, uint64_t at)
{
    uint64_t most = names.size / 16 + 1;
    for (uint64_t block = first; block != 1;) {
        if (most-- == 0 || block > names.size || names.size - block < 16)
            return strata_h5_damaged(image, at, "a heap with a bad free block");
        const uint64_t size = h5_number(names.at + block + 8, 8);
        if (size > names.size - block) return strata_h5_damaged(image, at, "a heap with a bad free block");
        block = h5_number(names.at + block, 8);
    }
    return true;
}

static bool open_heap(const struct h5_image *image, uint64_t at, struct h5_part *names)
{
    struct h5_part part;
    if (!strata_h5_part(image, at, 32, &part, "a heap beyond the end")) return false;
    if (memcmp(part.at, "HEAP", 4) != 0 || part.at[4] != 0) return strata_h5_damaged(image, at, "no heap");
    return strata_h5_part(image, h5_number(part.at + 24, 8), h5_number(part.at + 8, 8), names,
                          "a heap's names beyond the end")
           && check_free_blocks(image, *names, h5_number(part.at + 16, 8), at);
}

static bool check_name(const struct h5_image *image, struct h5_part names, uint64_t offset, uint64_t at)
{
    return (offset < names.size && memchr(names.at + offset, '\0', names.size - offset))
           || strata_h5_damaged(image, at, "a name outside its heap");
}

/* ---- groups ---- */

struct group {
    struct h5_image *image;
    struct h5_part names;
    int depth;
};

static bool check_symbol(const struct group *group, const unsigned char *entry, uint64_t at)
{
    struct h5_image *image = group->image;
    if (!check_name(image, group->names, h5_number(entry, 8), at)) return false;
    const uint64_t kind = h5_number(entry + 16, 4);
    if (kind > 2) return strata_h5_damaged(image, at, "a symbol of unknown kind");
    if (kind == 2) /* a soft link; its object is nowhere */
        return check_name(image, group->names, h5_number(entry + 24, 4), at);
    if (kind == 1
        && !strata_h5_check_group(image, h5_number(entry + 24, 8), h5_number(entry + 32, 8),
                                  group->depth + 1))
        return false;
    return strata_h5_check_object(image, h5_number(entry + 8, 8), group->depth + 1);
}

static bool check_symbols(const struct group *group, uint64_t at)
{
    const struct h5_image *image = group->image;
    struct h5_part part;
    if (!strata_h5_part(image, at, 8 + 2 * (uint64_t)image->leaf_k * 40, &part, "symbols beyond the end"))
        return false;
    const uint64_t count = h5_number(part.at + 6, 2);
    if (memcmp(part.at, "SNOD", 4) != 0 || part.at[4] != 1 || count > 2 * (uint64_t)image->leaf_k)
        return strata_h5_damaged(image, at, "no symbols");
    for (uint64_t i = 0; i < count; i++)
        if (!check_symbol(group, part.at + 8 + i * 40, at + 8 + i * 40)) return false;
    return true;
}

/* ---- trees ---- */

/* The start of a tree's node, whose keys have `key` bytes; *entries points behind it. */
static bool open_node(struct h5_image *image, uint64_t at, unsigned type, unsigned k, uint64_t key,
                      int level, uint64_t *count, struct h5_part *entries)
{
    const uint64_t most = 2 * (uint64_t)k;
    struct h5_part part;
    if (!strata_h5_part(image, at, 24 + most * 8 + (most + 1) * key, &part, "a tree beyond the end"))
        return false;
    *count = h5_number(part.at + 6, 2);
    if (memcmp(part.at, "TREE", 4) != 0 || part.at[4] != type || part.at[5] > HIGHEST
        || (level >= 0 && part.at[5] != level) || *count > most)
        return strata_h5_damaged(image, at, "no tree, or one with a bad node");
    if (++image->nodes > image->size / 24) return strata_h5_damaged(image, at, "a tree that goes round");
    *entries = part;
    return strata_h5_take(entries, 24) != NULL;
}

/* level: what the node's must be; -1: any, for the root. */
static bool check_group_node(const struct group *group, uint64_t at, int level)
{
    uint64_t count;
    struct h5_part entries;
    if (!open_node(group->image, at, 0, group->image->group_k, 8, level, &count, &entries)) return false;
    const int here = group->image->bytes[at + 5];
    for (uint64_t i = 0; i <= count; i++) /* one key more than children */
        if (!check_name(group->image, group->names, h5_number(entries.at + i * 16, 8), at)) return false;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t child = h5_number(entries.at + i * 16 + 8, 8);
        if (here == 0 ? !check_symbols(group, child) : !check_group_node(group, child, here - 1))
            return false;
    }
    return true;
}

bool strata_h5_check_group(struct h5_image *image, uint64_t tree, uint64_t heap, int depth)
{
    struct group group = { .image = image, .depth = depth };
    return open_heap(image, heap, &group.names) && check_group_node(&group, tree, -1);
}

/* ---- chunks of an array ---- */

static bool check_chunk(struct h5_image *image, const unsigned char *entry, uint64_t key, uint64_t at)
{
    uint64_t corner[32];
    struct h5_part chunk;
    const uint64_t rank = key / 8 - 2;
    const uint32_t size = (uint32_t)h5_number(entry, 4), mask = (uint32_t)h5_number(entry + 4, 4);
    if (!strata_h5_part(image, at, size, &chunk, "a chunk beyond the end")) return false;
    for (uint64_t i = 0; i < rank; i++) corner[i] = h5_number(entry + 8 + 8 * i, 8);
    return !image->visit || image->visit(image->context, corner, at, size, mask, image->err);
}

static bool check_chunk_node(struct h5_image *image, uint64_t at, uint64_t key, int level)
{
    uint64_t count;
    struct h5_part entries;
    if (!open_node(image, at, 1, image->chunk_k, key, level, &count, &entries)) return false;
    const int here = image->bytes[at + 5];
    for (uint64_t i = 0; i < count; i++) {
        const unsigned char *entry = entries.at + i * (key + 8);
        const uint64_t child = h5_number(entry + key, 8);
        if (here == 0 ? !check_chunk(image, entry, key, child) : !check_chunk_node(image, child, key, here - 1))
            return false;
    }
    return true;
}

bool strata_h5_check_chunks(struct h5_image *image, uint64_t tree, uint64_t key)
{
    return check_chunk_node(image, tree, key, -1);
}

static void note(const struct h5_image *image, int kind, uint64_t at, uint64_t size)
{
    if (!image->layout) return;
    *image->layout = (struct h5_layout){ .known = true, .at = at, .size = size };
    image->layout->kind = kind;
}

/* Layouts of version 3, which HDF5 1.6 to 1.8 and h5py write. */
bool strata_h5_check_layout(struct h5_image *image, struct h5_part part, uint64_t at)
{
    struct h5_part stored;
    const unsigned char *head = strata_h5_take(&part, 2);
    if (!head || head[0] != 3) return strata_h5_damaged(image, at, "an array's layout of an unknown version");
    if (head[1] == H5_COMPACT) {
        note(image, H5_COMPACT, 0, 0);
        const unsigned char *size = strata_h5_take(&part, 2);
        return (size && strata_h5_take(&part, h5_number(size, 2)))
               || strata_h5_damaged(image, at, "an array that is short");
    }
    if (head[1] == H5_CONTIGUOUS) {
        const unsigned char *where = strata_h5_take(&part, 16);
        if (!where) return strata_h5_damaged(image, at, "a layout that is short");
        note(image, H5_CONTIGUOUS, h5_number(where, 8), h5_number(where + 8, 8));
        return h5_number(where, 8) == H5_NOWHERE
               || strata_h5_part(image, h5_number(where, 8), h5_number(where + 8, 8), &stored,
                                 "numbers beyond the end");
    }
    const unsigned char *rank = head[1] == H5_CHUNKED ? strata_h5_take(&part, 1) : NULL;
    const unsigned char *tree = rank && *rank >= 2 && *rank <= 33 ? strata_h5_take(&part, 8) : NULL;
    if (!tree || !strata_h5_take(&part, 4 * (uint64_t)*rank))
        return strata_h5_damaged(image, at, "an array's layout of an unknown kind");
    note(image, H5_CHUNKED, h5_number(tree, 8), 0);
    return h5_number(tree, 8) == H5_NOWHERE
           || strata_h5_check_chunks(image, h5_number(tree, 8), 8 + 8 * (uint64_t)*rank);
}
