/* The matrix product in register tiles, for CPUs: cl/gemm_tiled.cl. */
#include <assert.h>
#include <limits.h>
#include <stdio.h>

#include "ops/implementations.h"
#include "ops/reduce.h"
#include "ops/tile.h"

enum {
    ITEMS = 4,        /* for each compute unit, so that none waits long for the others */
    LEAST_TILES = 4,  /* of a work-item */
    GOOD_TILES = 16,  /* for which a panel of B is worth bringing to the first cache */
    COPIED_FOR = 4,   /* panels, or more, of a work-item, where there are */
    COPIED_ITEMS = 3, /* along the rows, or more: A is worth being copied for these */
    PACKED_FOR = 6,   /* work-items, or more, that need the same panel: B is worth being packed for these */
    PACK_RUN = 8,     /* panels that a work-item packs, of */
    PACK_DEPTH = 64,  /* rows, or */
    PACK_DEPTH_TRANSPOSED = 256
};

/* What one work-item computes: tiles of rows by panels of columns, and how many blocks of k it takes at a time. */
struct share {
    size_t tiles, panels, chunk;
    bool in_place, packed; /* A is not copied; B is packed before */
};

static bool suits(struct device *device, const struct gemm *gemm)
{
    (void)gemm;
    return strata_device_class_of(device) == STRATA_CPU_CLASS;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int block_of(const struct tile *tile)
{
    return tile->width == 16 ? 192 : 256;
}

/* Of A, copied: they stay in the second cache. */
static size_t strips_of(const struct tile *tile)
{
    return tile->width == 16 ? 96 : 48;
}

/* The part of k that a work-item sums: where there are grains, one, or as many as lie in a block and are a node of their tree. */
static size_t span_of(const struct gemm *g, const struct tile *tile)
{
    size_t span = g->grain ? g->grain : g->k ? g->k : 1;
    while (span < g->k && 2 * span <= (size_t)block_of(tile)) span *= 2;
    return span;
}

static bool fits(const struct share *s, size_t tiles, size_t panels, size_t wanted)
{
    return strata_tile_ceil(tiles, s->tiles) * strata_tile_ceil(panels, s->panels) >= wanted;
}

/* Rows of A that lie whole pages apart are in the same sets of the cache. */
static bool may_stay(const struct gemm *g, size_t panels, size_t row_items)
{
    const size_t page = 1024; /* floats */
    return !g->transpose_a && (panels < COPIED_FOR || (row_items < COPIED_ITEMS && g->k % page != 0));
}

/* The largest share that leaves each unit enough items: columns are divided first, which costs no copy of B. */
static struct share divide(const struct gemm *g, const struct tile *tile, size_t units)
{
    const size_t tiles = strata_tile_ceil(g->m, (size_t)tile->rows), panels = strata_tile_ceil(g->n, (size_t)tile->columns);
    const size_t span = span_of(g, tile), blocks = strata_tile_ceil(span, (size_t)block_of(tile));
    const size_t wanted = units > 1 ? strata_tile_ceil(ITEMS * units, strata_tile_ceil(g->k, span)) : 1;
    struct share s = { .chunk = least(blocks, strips_of(tile) / GOOD_TILES) };
    s.tiles = least(tiles, strips_of(tile) / s.chunk);
    s.panels = strata_tile_ceil(panels, least(panels, strata_tile_ceil(wanted, strata_tile_ceil(tiles, s.tiles))));
    while (!fits(&s, tiles, panels, wanted) && s.tiles > LEAST_TILES) s.tiles = strata_tile_ceil(s.tiles, 2);
    const size_t row_items = strata_tile_ceil(tiles, s.tiles);
    s.tiles = strata_tile_ceil(tiles, row_items); /* shares alike in size */
    s.in_place = may_stay(g, s.panels, row_items);
    s.packed = !g->grain && row_items >= PACKED_FOR;
    return s;
}

/* Brings B to panels in scratch memory. */
static bool pack(struct run *run, const struct gemm *g, const struct tile *tile, const char *options, struct view *packed,
                 strata_error *err)
{
    const size_t panels = strata_tile_ceil(g->n, (size_t)tile->columns);
    const size_t depth = g->transpose_b ? PACK_DEPTH_TRANSPOSED : PACK_DEPTH;
    if (!strata_run_scratch(run, panels * (size_t)tile->columns * g->k * sizeof(float), &packed->buffer, err))
        return false;
    const struct arg args[] = { arg_view(&g->b), arg_view(packed), arg_int((int32_t)g->n), arg_int((int32_t)g->k), arg_int(PACK_RUN), { 0 } };
    const struct launch launch = { .kernel = "gemm_tiled:pack", .options = options, .args = args, .dims = 2,
                                   .global = { strata_tile_ceil(panels, PACK_RUN), strata_tile_ceil(g->k, depth) }, .local = { 1, 1 } };
    return strata_launch(run, &launch, err);
}

/* `c` has room for all parts. */
static bool multiply(struct run *run, const struct gemm *g, const struct view *c, strata_error *err)
{
    char options[240];
    const struct tile tile = strata_tile_of(strata_run_device(run));
    const size_t span = span_of(g, &tile), parts = strata_tile_ceil(g->k, span);
    const size_t tiles = strata_tile_ceil(g->m, (size_t)tile.rows), panels = strata_tile_ceil(g->n, (size_t)tile.columns);
    struct view packed = { 0 };
    if (tiles == 0 || panels == 0)
        return true;
    assert(g->k > 0 && g->m <= INT_MAX / 2 && g->n <= INT_MAX / 2 && g->k <= INT_MAX / 2);
    const struct share share = divide(g, &tile, (size_t)strata_device_compute_units(strata_run_device(run)));
    snprintf(options, sizeof options,
             "-DVW=%d -DMR=%d -DBIAS=%d -DACTIVATION=%d -DKC=%d -DSTRIPS=%zu -DTRANS_A=%d -DTRANS_B=%d -DPACKED=%d "
             "-DPACK_DEPTH=%d -DACCUMULATE=%d -DGRAINS=%d", tile.width, tile.rows, g->accumulate ? 0 : strata_tail_bias(&g->tail),
             g->accumulate ? ACTIVATION_LINEAR : (int)g->tail.activation, block_of(&tile), strips_of(&tile), g->transpose_a,
             g->transpose_b, share.packed, g->transpose_b ? PACK_DEPTH_TRANSPOSED : PACK_DEPTH, g->accumulate, g->grain > 0);
    if (share.packed && !pack(run, g, &tile, options, &packed, err))
        return false;
    const struct arg args[] = { arg_view(&g->a), arg_view(share.packed ? &packed : &g->b), arg_view(c), arg_view(&g->tail.bias),
                                arg_int((int32_t)g->tail.factor), arg_int((int32_t)g->m), arg_int((int32_t)g->n), arg_int((int32_t)g->k),
                                arg_int((int32_t)share.tiles), arg_int((int32_t)share.panels), arg_int((int32_t)share.chunk), arg_int(share.in_place),
                                g->grain ? arg_int((int32_t)g->grain) : (struct arg){ 0 }, arg_int((int32_t)span), { 0 } };
    const struct launch launch = { .kernel = "gemm_tiled:gemm", .options = options, .args = args, .dims = g->grain ? 3 : 2,
                                   .global = { strata_tile_ceil(panels, share.panels),
                                               strata_tile_ceil(tiles, share.tiles), g->grain ? parts : 0 },
                                   .local = { 1, 1, g->grain ? 1 : 0 } };
    return strata_launch(run, &launch, err);
}

static bool run_gemm(struct run *run, const struct gemm *g, strata_error *err)
{
    const struct tile tile = strata_tile_of(strata_run_device(run));
    const size_t span = span_of(g, &tile), parts = strata_tile_ceil(g->k, span), count = g->m * g->n;
    struct view sums = { 0 };
    assert(!g->grain || (g->transpose_a && !g->transpose_b && !g->accumulate && !g->tail.bias.buffer));
    if (parts <= 1 || count == 0) return multiply(run, g, &g->c, err);
    return strata_run_scratch(run, parts * count * sizeof(float), &sums.buffer, err) && multiply(run, g, &sums, err)
        && strata_op_sum_grains(run, &sums, parts, count, 1, &g->c, err);
}

const struct gemm_implementation strata_gemm_tiled = { .name = "tiled", .grains = true, .can = suits, .suits = suits, .run = run_gemm };
