/* What Winograd's convolutions share: where tiles of M x M outputs lie, and the transform of the inputs that a tile sees.
 * Needs before it winograd.h, the extents, and
 *   STRIDE                    floats between two points of what is transformed
 *   LOAD_IN(from, channels)   the VW channels at `from`, of which there are `channels` */
#if !defined(STRIDE) || !defined(LOAD_IN)
#error "STRIDE and LOAD_IN are needed"
#endif

#define PANELS ((OUT_C + NR - 1) / NR)
#define TILES_H ((OUT_H + M - 1) / M)
#define TILES_W ((OUT_W + M - 1) / M)

struct spot {
    int image, y, x; /* of the tile's first output */
};

static inline struct spot spot_of(int tile)
{
    struct spot s;
    s.x = tile % TILES_W * M;
    s.y = tile / TILES_W % TILES_H * M;
    s.image = tile / TILES_W / TILES_H;
    return s;
}

/* The SIDE x SIDE inputs from (y, x) on, transformed; zeros outside the image. */
static inline void transform(float *to, global const float *in, int y, int x, int channels)
{
    floatv half_way[SIDE][SIDE];
    const bool inside = y >= 0 && y + SIDE <= IN_H && x >= 0 && x + SIDE <= IN_W;
#pragma unroll
    for (int j = 0; j < SIDE; ++j) {
        floatv d[SIDE], v[SIDE];
#pragma unroll
        for (int i = 0; i < SIDE; ++i) {
            const bool in_range = inside || ((uint)(y + i) < IN_H && (uint)(x + j) < IN_W);
            global const float *from = in + ((long)(y + i) * IN_W + x + j) * IN_C;
            d[i] = 0.0f;
            if (in_range) d[i] = LOAD_IN(from, channels);
        }
        of_data(d, v);
#pragma unroll
        for (int i = 0; i < SIDE; ++i) half_way[i][j] = v[i];
    }
#pragma unroll
    for (int i = 0; i < SIDE; ++i) {
        floatv v[SIDE];
        of_data(half_way[i], v);
#pragma unroll
        for (int j = 0; j < SIDE; ++j) STOREV(v[j], to + (i * SIDE + j) * STRIDE);
    }
}
