/* The register tile of cl/tile.h for a device. */
#ifndef STRATA_OPS_TILE_H
#define STRATA_OPS_TILE_H

#include "device/device.h"

struct tile {
    int width;   /* -D VW, floats a vector */
    int vectors; /* -D NV, of columns */
    int rows;    /* -D MR */
    int columns; /* NR */
};

/* Vectors that the device's registers hold: 32 of 16 floats (AVX-512), of fewer at least 16. */
static inline int strata_tile_registers(int width)
{
    return width == 16 ? 32 : 16;
}

/* Measured, a tile of 8 rows and of 6 is best. */
static inline struct tile strata_tile_of(const struct device *device)
{
    const int native = strata_device_info_of(device)->native_vector_width;
    const int width = native >= 16 ? 16 : native >= 8 ? 8 : 4;
    return (struct tile){ .width = width, .vectors = 2, .rows = strata_tile_registers(width) == 32 ? 8 : 6, .columns = 2 * width };
}

/* Where there are so many columns: one vector of them, if they fit. */
static inline struct tile strata_tile_for(const struct device *device, size_t columns)
{
    struct tile tile = strata_tile_of(device);
    if (columns > (size_t)tile.width) return tile;
    tile.vectors = 1;
    tile.columns = tile.width;
    return tile;
}

/* The longest block of k that a product sums at a time: a panel of it stays in the first cache. */
static inline int strata_tile_block(const struct tile *tile)
{
    return tile->width == 16 ? 192 : 256;
}

static inline size_t strata_tile_ceil(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static inline size_t strata_tile_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t strata_tile_clamp(size_t v, size_t low, size_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* What each takes where so many are shared, at most `most`: alike, for of two threads PoCL gives the first half of all work-items to
 * one, which would have far more to do if the last shares were small. */
static inline size_t strata_tile_share(size_t all, size_t most)
{
    return strata_tile_ceil(all, strata_tile_ceil(all, most));
}

/* Work-items that keep every compute unit busy when some take longer than others: `each` for each, where there are several. */
static inline size_t strata_tile_items(const struct device *device, size_t each)
{
    const size_t units = (size_t)strata_device_compute_units(device);
    return units > 1 ? each * units : 1;
}

#endif
