/* The matrix product in register tiles, for CPUs: cl/gemm_tiled.cl and cl/gemm_parts.cl. */
#include <assert.h>
#include <limits.h>
#include <stdio.h>

#include "ops/implementations.h"
#include "ops/reduce.h"
#include "ops/tile.h"

/* The most that one work-item takes: its copy of B, and of A when that is transposed, stay in the second cache. */
enum { MOST_PANELS = 8, MOST_PACKED_TILES = 16, MOST_TILES = 32, LEAST_TILES = 4 };

enum {
    ITEMS = 4,              /* for each compute unit */
    LEAST_SPAN = 768,       /* of k that a part has, of */
    MOST_PARTS = 8,         /* parts */
    FAR_ELEMENTS = 1 << 18  /* of an A that does not stay in the second cache */
};

/* What one work-item computes, in tiles of rows by panels of columns. */
struct share {
    size_t tiles, panels;
};

static bool suits(struct device *device, const struct gemm *gemm)
{
    (void)gemm;
    return strata_device_class_of(device) == STRATA_CPU_CLASS;
}

static size_t items_of(const struct share *share, size_t tiles, size_t panels)
{
    return strata_tile_ceil(tiles, share->tiles) * strata_tile_ceil(panels, share->panels);
}

/* The largest share that leaves `wanted` items. Many tiles pay for copying B, many panels for copying A. */
static struct share divide(size_t tiles, size_t panels, bool packs_a, size_t wanted)
{
    const size_t few_panels = packs_a ? MOST_PANELS / 2 : 1;
    struct share s = { strata_tile_least(tiles, packs_a ? MOST_PACKED_TILES : MOST_TILES), strata_tile_least(panels, MOST_PANELS) };
    while (items_of(&s, tiles, panels) < wanted && s.panels > few_panels) s.panels /= 2;
    while (items_of(&s, tiles, panels) < wanted && s.tiles > LEAST_TILES) s.tiles = strata_tile_ceil(s.tiles, 2);
    while (items_of(&s, tiles, panels) < wanted && s.panels > 1) s.panels /= 2;
    s.tiles = strata_tile_share(tiles, s.tiles);
    s.panels = strata_tile_share(panels, s.panels);
    return s;
}

/* Into how many parts a long k is cut where there are few columns: then the items of all parts read A and B once. Rows have no say, so
 * that a row's bits do not depend on how many there are. */
static size_t parts_of(const struct gemm *g, const struct tile *tile)
{
    const bool cuts = !g->grain && !g->transpose_a && g->n <= (size_t)(MOST_PANELS * tile->columns) && g->k >= 2 * LEAST_SPAN;
    return cuts ? strata_tile_least(g->k / LEAST_SPAN, MOST_PARTS) : 1;
}

bool strata_gemm_tiled_cuts(struct device *device, const struct gemm *gemm)
{
    const struct tile tile = strata_tile_for(device, gemm->n);
    return parts_of(gemm, &tile) > 1;
}

/* What a work-item sums of k: a part of it; where there are grains, one, or as many as lie in a block and are a node of their tree. */
static size_t span_of(const struct gemm *g, const struct tile *tile)
{
    size_t span = g->grain;
    if (!g->grain) return strata_tile_ceil(g->k, parts_of(g, tile));
    while (span < g->k && 2 * span <= (size_t)strata_tile_block(tile)) span *= 2;
    return span;
}

/* Whether A is asked for while rows of it are multiplied. Measured: with 32 registers it pays for rows that come from afar; with 16 the
 * loop takes up to twice as long. */
static bool is_far(const struct gemm *g, const struct tile *tile)
{
    return strata_tile_registers(tile->width) == 32 && !g->transpose_a && g->m > FAR_ELEMENTS / g->k;
}

/* `c` has room for all parts; bias and activation follow when it is one. */
static bool multiply(struct run *run, const struct gemm *g, const struct tile *tile, size_t span, const struct view *c, strata_error *err)
{
    char options[220];
    const size_t parts = strata_tile_ceil(g->k, span);
    const size_t tiles = strata_tile_ceil(g->m, (size_t)tile->rows), panels = strata_tile_ceil(g->n, (size_t)tile->columns);
    const struct tail tail = parts == 1 ? strata_gemm_tail(g) : (struct tail){ .activation = ACTIVATION_LINEAR };
    const struct share share =
        divide(tiles, panels, g->transpose_a, strata_tile_ceil(strata_tile_items(strata_run_device(run), ITEMS), parts));

    snprintf(options, sizeof options,
             "-DVW=%d -DNV=%d -DMR=%d -DBIAS=%d -DACTIVATION=%d -DKC=%d -DTILES=%d -DPANELS=%d -DTRANS_A=%d -DTRANS_B=%d "
             "-DACCUMULATE=%d -DFAR=%d -DGRAINS=%d", tile->width, tile->vectors, tile->rows, strata_tail_bias(&tail),
             (int)tail.activation, strata_tile_block(tile), MOST_PACKED_TILES, MOST_PANELS, g->transpose_a, g->transpose_b,
             g->accumulate && parts == 1, is_far(g, tile), g->grain > 0);
    const struct arg args[] = { arg_view(&g->a), arg_view(&g->b), arg_view(c), arg_view(&g->tail.bias),
                                arg_int((int32_t)g->tail.factor), arg_int((int32_t)g->m), arg_int((int32_t)g->n), arg_int((int32_t)g->k),
                                arg_int((int32_t)share.tiles), arg_int((int32_t)share.panels), arg_int((int32_t)g->grain),
                                arg_int((int32_t)span), { 0 } };
    const struct launch launch = { .kernel = "gemm_tiled:gemm", .options = options, .args = args, .dims = 3,
                                   .global = { strata_tile_ceil(panels, share.panels), strata_tile_ceil(tiles, share.tiles), parts },
                                   .local = { 1, 1, 1 } };
    return strata_launch(run, &launch, err);
}

static bool add_parts(struct run *run, const struct gemm *g, const struct tile *tile, const struct view *sums, size_t parts, strata_error *err)
{
    char options[100];
    const struct tail tail = strata_gemm_tail(g);
    snprintf(options, sizeof options, "-DVW=%d -DMR=%d -DBIAS=%d -DACTIVATION=%d -DACCUMULATE=%d", tile->width, tile->rows,
             strata_tail_bias(&tail), (int)tail.activation, g->accumulate);
    const struct arg args[] = { arg_view(sums), arg_view(&g->c), arg_view(&g->tail.bias), arg_int((int32_t)g->tail.factor),
                                arg_int((int32_t)g->m), arg_int((int32_t)g->n), arg_int((int32_t)parts), { 0 } };
    const struct launch launch = { .kernel = "gemm_parts:add", .options = options, .args = args, .dims = 1, .global = { g->m } };
    return strata_launch(run, &launch, err);
}

static bool run_gemm(struct run *run, const struct gemm *g, strata_error *err)
{
    const struct tile tile = strata_tile_for(strata_run_device(run), g->n);
    const size_t count = g->m * g->n;
    struct view sums = { 0 };
    assert(!g->grain || (g->transpose_a && !g->transpose_b && !g->accumulate && !g->tail.bias.buffer));
    if (count == 0) return true;
    assert(g->k > 0 && g->m <= INT_MAX / 2 && g->n <= INT_MAX / 2 && g->k <= INT_MAX / 2);
    const size_t span = span_of(g, &tile), parts = strata_tile_ceil(g->k, span);
    if (parts == 1) return multiply(run, g, &tile, span, &g->c, err);
    if (!strata_run_scratch(run, parts * count * sizeof(float), &sums.buffer, err) || !multiply(run, g, &tile, span, &sums, err)) return false;
    return g->grain ? strata_op_sum_grains(run, &sums, parts, count, 1, &g->c, err) : add_parts(run, g, &tile, &sums, parts, err);
}

const struct gemm_implementation strata_gemm_tiled = { .name = "tiled", .grains = true, .can = suits, .suits = suits, .run = run_gemm };
