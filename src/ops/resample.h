/* Images through affine maps, and numbers drawn for each sample. */
#ifndef STRATA_OPS_RESAMPLE_H
#define STRATA_OPS_RESAMPLE_H

#include "ops/noise.h"

/* Two numbers a sample: from low[i] on, below high[i]; functions of (seed, epoch, layer, sample). */
struct draw {
    double low[2], high[2];
    uint64_t seed;   /* as in struct noise */
    unsigned stream;
    struct buffer *step_words;
};
/* numbers: (n, 2). */
bool strata_op_draw(struct run *run, const struct draw *draw, const struct view *numbers, strata_error *err);

/* What the two numbers mean; cl/augment.cl says it. */
enum map_kind { MAP_FLIP, MAP_TRANSLATION, MAP_ROTATION, MAP_ZOOM, MAP_CROP };
enum map_sides { MAP_HORIZONTAL = 1, MAP_VERTICAL = 2, MAP_SAME_ZOOM = 4 };
/* maps: (n, 6), for images of that size. */
bool strata_op_maps(struct run *run, enum map_kind kind, int sides, size_t height, size_t width, const struct view *numbers,
                    const struct view *maps, strata_error *err);
/* The same map for all samples. */
bool strata_op_same_map(struct run *run, const double map[6], const struct view *maps, strata_error *err);

enum fill_mode { FILL_CONSTANT, FILL_REFLECT, FILL_WRAP, FILL_NEAREST };

struct resample {
    bool bilinear; /* else the nearest cell */
    enum fill_mode fill;
    double fill_value;
    size_t top, left, height, width; /* the box of x that is looked at; height 0: all of it */
};

/* y (n, h, w, c) shows x (n, H, W, c) through maps (n, 6). dx is written whole. */
bool strata_op_resample(struct run *run, const struct resample *resample, const struct view *maps, const struct view *x,
                        const struct view *y, strata_error *err);
bool strata_op_resample_gradient(struct run *run, const struct resample *resample, const struct view *maps,
                                 const struct view *dy, const struct view *dx, strata_error *err);

#endif
