/* Where the output of a convolution is pooled (struct pooled of src/ops/pool2d.h), it lies nowhere: maxima over windows are stored, with
 * where in its window each was, and their gradients are what the gradient of the output is read from. Needs winograd.h before it.
 *   -D POOL_H, POOL_W   of a window, each a divisor of M; 0: the output is stored as it is */
#if !defined(POOL_H) || !defined(POOL_W)
#error "-D POOL_H and POOL_W are needed"
#endif

#if POOL_H
#define STORED_H(height) ((height) / POOL_H)
#define STORED_W(width) ((width) / POOL_W)
/* Rows and columns that windows cover. */
#define COVERED_H(height) ((height) / POOL_H * POOL_H)
#define COVERED_W(width) ((width) / POOL_W * POOL_W)
#else
#define STORED_H(height) (height)
#define STORED_W(width) (width)
#define COVERED_H(height) (height)
#define COVERED_W(width) (width)
#endif

#include "places.h"

typedef union {
    intv v;
    int i[VW];
} places;

static inline intv load_places(global const uchar *from, int count)
{
    places some;
    if (count >= VW) return LOADB(from);
    some.v = 0;
    for (int i = 0; i < count; ++i) some.i[i] = from[i];
    return some.v;
}

static inline void store_places(intv v, global uchar *to, int count)
{
    places some;
    if (count >= VW) {
        STOREB(v, to);
        return;
    }
    some.v = v;
    for (int i = 0; i < count; ++i) to[i] = (uchar)some.i[i];
}

/* VW of `channels` channels of the gradient of output (y, x) of an image that has `width` columns and all `depth` channels: of what is
 * stored, if it is stored of this one. */
static inline floatv load_gradient(global const float *gradient, global const uchar *index, int y, int x, int width, int depth,
                                   int channels)
{
#if POOL_H
    const ulong at = ((ulong)((uint)y / POOL_H) * STORED_W(width) + (uint)x / POOL_W) * depth;
    const intv here = (intv)((uint)y % POOL_H * POOL_W + (uint)x % POOL_W), where = load_places(index + at, depth % VW == 0 ? VW : channels);
    const floatv whole = load_some(gradient + at, depth % VW == 0 ? VW : channels);
    return where == here ? whole : (floatv)0.0f;
#else
    return load_some(gradient + ((ulong)y * width + x) * depth, depth % VW == 0 ? VW : channels);
#endif
}
