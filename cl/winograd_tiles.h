/* What Winograd's convolutions share: where tiles of M x M outputs lie, and the transform of the inputs that a tile sees.
 * Needs before it winograd.h, the extents, and
 *   STRIDE            floats between two points of what is transformed
 *   SEEN_H, SEEN_W    rows and columns of the input behind which there are zeros
 *   load_in(in, index, y, x, channels)
 *                     VW channels of input (y, x) of an image, of which there are `channels` */
#if !defined(STRIDE) || !defined(SEEN_H) || !defined(SEEN_W)
#error "STRIDE, SEEN_H and SEEN_W are needed"
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

/* Channels taken at a time, so that what is half transformed stays in the first cache. */
#define BAND 64

/* The columns of the SIDE x SIDE inputs from (y, x) on, transformed; zeros outside the image. inside: none is outside. */
static inline void transform_columns(floatv half_way[SIDE][SIDE][BAND / VW], global const float *in, global const uchar *index, int y,
                                     int x, bool inside, int channels)
{
    for (int j = 0; j < SIDE; ++j)
        for (int c = 0; c < channels; c += VW) {
            floatv d[SIDE], v[SIDE];
#pragma unroll
            for (int i = 0; i < SIDE; ++i) {
                d[i] = 0.0f;
                if (inside || ((uint)(y + i) < SEEN_H && (uint)(x + j) < SEEN_W))
                    d[i] = load_in(in + c, index + c, y + i, x + j, channels - c);
            }
            of_data(d, v);
#pragma unroll
            for (int i = 0; i < SIDE; ++i) half_way[i][j][c / VW] = v[i];
        }
}

/* The SIDE x SIDE inputs from (y, x) on, transformed; after the last channel zeros to a whole vector. The channels of a pixel
 * are read one after the other, as the processor's prefetching likes it. */
static inline void transform(float *to, global const float *in, global const uchar *index, int y, int x, int channels)
{
    floatv half_way[SIDE][SIDE][BAND / VW];
    const bool inside = y >= 0 && y + SIDE <= SEEN_H && x >= 0 && x + SIDE <= SEEN_W;
    for (int first = 0; first < channels; first += BAND) {
        const int some = min(channels - first, BAND);
        if (inside)
            transform_columns(half_way, in + first, index + first, y, x, true, some);
        else
            transform_columns(half_way, in + first, index + first, y, x, false, some);
        for (int i = 0; i < SIDE; ++i)
            for (int c = 0; c < some; c += VW) {
                floatv d[SIDE], v[SIDE];
#pragma unroll
                for (int j = 0; j < SIDE; ++j) d[j] = half_way[i][j][c / VW];
                of_data(d, v);
#pragma unroll
                for (int j = 0; j < SIDE; ++j) STOREV(v[j], to + (i * SIDE + j) * STRIDE + first + c);
            }
    }
}
