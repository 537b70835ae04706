/* The matrix product in register tiles of copies of both sides, for large products on CPUs: cl/gemm_packed.cl. */
#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>

#include "ops/implementations.h"
#include "ops/tile.h"

enum {
    TILES = 8,           /* that a work-item can take, or more */
    ITEMS = 4,           /* for each compute unit */
    RUN = 8,             /* panels that a work-item packs, of */
    DEPTH = 64,          /* rows, or */
    DEPTH_TRANSPOSED = 256,
    MOST_PACKED = 1 << 23 /* floats of B that memory is taken for, unasked */
};

/* What one work-item computes, in tiles of rows by panels of columns, and how many blocks of k it takes at a time. */
struct share {
    size_t tiles, panels, chunk;
};

static bool can(struct device *device, const struct gemm *gemm)
{
    return strata_device_class_of(device) == STRATA_CPU_CLASS && !gemm->grain;
}

/* Measured: from how many rows on B is worth being copied before, where more or less of it is copied by the other one too. Which of them
 * serves depends on the rows, and must not show in their bits. */
static bool suits(struct device *device, const struct gemm *g)
{
    const size_t rows = g->transpose_a ? 256 : g->transpose_b ? 512 : 768, columns = g->transpose_a ? 128 : 256;
    return can(device, g) && !strata_gemm_tiled_cuts(device, g) && g->m >= rows && g->n >= columns && g->k >= 64 && g->n <= MOST_PACKED / g->k;
}

/* Of A, copied: they take a third of the second cache. */
static size_t strips_of(const struct tile *tile)
{
    return tile->width == 16 ? 48 : 24;
}

/* Of all panels, divided once for each of so many rows of items: at least `least` times, and not so that one compute unit gets many more
 * than another. */
static size_t panels_of(size_t panels, size_t rows, size_t least, size_t units)
{
    size_t best = 0, most = SIZE_MAX;
    for (size_t n = strata_tile_least(panels, least); n <= 2 * least && n <= panels; n++) {
        const size_t each = strata_tile_ceil(panels, n), busiest = strata_tile_ceil(rows * strata_tile_ceil(panels, each), units) * each;
        if (busiest >= most) continue;
        most = busiest;
        best = each;
    }
    return best;
}

/* Columns are divided for several items a unit. */
static struct share divide(const struct device *device, const struct tile *tile, const struct gemm *g, size_t tiles, size_t panels)
{
    const size_t strips = strips_of(tile), blocks = strata_tile_ceil(g->k, (size_t)strata_tile_block(tile));
    struct share s = { .chunk = strata_tile_least(blocks, strips / TILES) };
    s.tiles = strata_tile_share(tiles, strips / s.chunk);
    const size_t rows = strata_tile_ceil(tiles, s.tiles);
    s.panels = panels_of(panels, rows, strata_tile_ceil(strata_tile_items(device, ITEMS), rows),
                         (size_t)strata_device_compute_units(device));
    return s;
}

static bool pack(struct run *run, const struct gemm *g, const char *options, const size_t items[2], const struct view *packed,
                 strata_error *err)
{
    const struct arg args[] = { arg_view(&g->b), arg_view(packed), arg_int((int32_t)g->n), arg_int((int32_t)g->k), { 0 } };
    const struct launch launch = { .kernel = "gemm_packed:pack", .options = options, .args = args, .dims = 2,
                                   .global = { items[0], items[1] }, .local = { 1, 1 } };
    return strata_launch(run, &launch, err);
}

static bool multiply(struct run *run, const struct gemm *g, const char *options, const struct share *share, const size_t items[2],
                     const struct view *packed, strata_error *err)
{
    const struct arg args[] = { arg_view(&g->a), arg_view(packed), arg_view(&g->c), arg_view(&g->tail.bias),
                                arg_int((int32_t)g->tail.factor), arg_int((int32_t)g->m), arg_int((int32_t)g->n), arg_int((int32_t)g->k),
                                arg_int((int32_t)share->tiles), arg_int((int32_t)share->panels), arg_int((int32_t)share->chunk), { 0 } };
    const struct launch launch = { .kernel = "gemm_packed:gemm", .options = options, .args = args, .dims = 2,
                                   .global = { items[0], items[1] }, .local = { 1, 1 } };
    return strata_launch(run, &launch, err);
}

static bool run_gemm(struct run *run, const struct gemm *g, strata_error *err)
{
    char options[240];
    struct view packed = { 0 };
    struct device *device = strata_run_device(run);
    const struct tile tile = strata_tile_of(device);
    const size_t tiles = strata_tile_ceil(g->m, (size_t)tile.rows), panels = strata_tile_ceil(g->n, (size_t)tile.columns);
    const size_t depth = g->transpose_b ? DEPTH_TRANSPOSED : DEPTH;
    if (tiles == 0 || panels == 0)
        return true;
    assert(g->k > 0 && g->m <= INT_MAX / 2 && g->n <= INT_MAX / 2 && g->k <= INT_MAX / 2 && !g->grain);
    const struct share share = divide(device, &tile, g, tiles, panels);
    const struct tail tail = strata_gemm_tail(g);
    snprintf(options, sizeof options,
             "-DVW=%d -DMR=%d -DBIAS=%d -DACTIVATION=%d -DKC=%d -DSTRIPS=%zu -DRUN=%d -DDEPTH=%zu -DTRANS_A=%d -DTRANS_B=%d "
             "-DACCUMULATE=%d", tile.width, tile.rows, strata_tail_bias(&tail), (int)tail.activation, strata_tile_block(&tile),
             strips_of(&tile), RUN, depth, g->transpose_a, g->transpose_b, g->accumulate);
    const size_t pieces[] = { strata_tile_ceil(panels, RUN), strata_tile_ceil(g->k, depth) };
    const size_t items[] = { strata_tile_ceil(panels, share.panels), strata_tile_ceil(tiles, share.tiles) };
    return strata_run_scratch(run, panels * (size_t)tile.columns * g->k * sizeof(float), &packed.buffer, err)
        && pack(run, g, options, pieces, &packed, err) && multiply(run, g, options, &share, items, &packed, err);
}

const struct gemm_implementation strata_gemm_packed = { .name = "packed", .can = can, .suits = suits, .run = run_gemm };
