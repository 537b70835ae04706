/* Blocks of pixels of one image, and what their taps see; needs conv_tiled.h before it.
 *   -D PIXELS   of a block, at most */
#ifndef PIXELS
#error "-D PIXELS is needed"
#endif

/* A block is BLOCK_H rows of pixels by BLOCK_W of one image, at most PIXELS. */
#define BLOCK_W (OUT_W < PIXELS ? OUT_W : PIXELS)
#define BLOCK_H (PIXELS / BLOCK_W < OUT_H ? PIXELS / BLOCK_W : OUT_H)
#define BLOCKS_X ((OUT_W + BLOCK_W - 1) / BLOCK_W)
#define BLOCKS_Y ((OUT_H + BLOCK_H - 1) / BLOCK_H)

/* Of a block; by a constant, where it is one, one divides faster. */
#define WIDTH(b) (OUT_W % BLOCK_W == 0 ? BLOCK_W : (b).width)

struct block {
    int image, i, j, height, width;
};

static inline struct block block_of(int index)
{
    struct block b;
    b.j = index % BLOCKS_X * BLOCK_W;
    b.i = index / BLOCKS_X % BLOCKS_Y * BLOCK_H;
    b.image = index / BLOCKS_X / BLOCKS_Y;
    b.height = min(BLOCK_H, OUT_H - b.i);
    b.width = min(BLOCK_W, OUT_W - b.j);
    return b;
}

/* What the taps of a block see, a line for each row of the image, zeros outside: little where there are few channels. */
#define LINE (((BLOCK_W - 1) * STRIDE_W + (KW - 1) * DILATION_W + 1) * IN_G)
#define LINES ((BLOCK_H - 1) * STRIDE_H + (KH - 1) * DILATION_H + 1)

static inline void copy_near(float near[LINE * LINES], global const float *in, const struct block *b)
{
    const int x = b->j * STRIDE_W + START_W;
    const int begin = max(0, -x) * IN_C, end = max(begin, min(LINE, (IN_W - x) * IN_C));
    for (int l = 0; l < LINES; ++l, near += LINE) {
        const int y = b->i * STRIDE_H + START_H + l;
        const bool inside = y >= 0 && y < IN_H;
        global const float *from = in + (((long)b->image * IN_H + y) * IN_W + x) * IN_C;
        for (int i = 0; i < (inside ? begin : LINE); ++i) near[i] = 0;
        for (int i = begin; i < end && inside; ++i) near[i] = from[i];
        for (int i = end; i < LINE && inside; ++i) near[i] = 0;
    }
}
