/* Images seen through affine maps: output cell (i, j) shows the place (t3 j + t4 i + t5, t0 j + t1 i + t2) of the input.
 *
 *   -D BILINEAR=0 the nearest cell   1 between four
 *   -D FILL       beyond the edge: 0 a constant, 1 reflected (dcba|abcd|dcba), 2 wrapped, 3 the nearest cell
 *
 * Source: TensorFlow's ImageProjectiveTransformV3, whose order of sums this keeps. Images are (n, height, width, channels); x
 * may be a box of larger ones, whose rows are `pitch` and whose samples `leap` floats apart. Maps are six floats a sample. */
#if !defined(BILINEAR) || !defined(FILL)
#error "resample.cl needs -D BILINEAR and FILL"
#endif

static inline float inside(float at, int extent)
{
#if FILL == 1
    const float twice = 2 * extent;
    if (extent <= 1) return 0;
    if (at < 0) {
        if (at < twice) at += twice * (int)(-at / twice);
        at = at < -extent ? at + twice : -at - 1;
    } else if (at > extent - 1) {
        at -= twice * (int)(at / twice);
        if (at >= extent) at = twice - at - 1;
    }
#elif FILL == 2
    if (extent <= 1) return 0;
    if (at < 0)
        at += (float)extent * ((int)(-at / (extent - 1)) + 1);
    else if (at > extent - 1)
        at -= (float)extent * (int)(at / (extent - 1));
#endif
#if FILL == 0
    return at;
#else
    return clamp(at, 0.0f, (float)(extent - 1));
#endif
}

/* Where output cell (i, j) looks: row in .x, column in .y. */
static inline float2 look(global const float *t, int i, int j, int height, int width)
{
    return (float2)(inside(t[3] * j + t[4] * i + t[5], height), inside(t[0] * j + t[1] * i + t[2], width));
}

static inline float cell(global const float *x, float row, float column, int height, int width, ulong pitch, int channels,
                         float fill)
{
    if (!(row >= 0 && row < height && column >= 0 && column < width)) return fill;
    return x[(ulong)row * pitch + (ulong)column * channels];
}

/* One work-item: a channel of an output cell. Dimension 0 channels, 1 columns, 2 samples and rows. */
kernel void forward(global const float *x, ulong x0, global float *y, ulong y0, global const float *t, ulong t0, int n,
                    int height, int width, int channels, ulong pitch, ulong leap, int rows, int columns, float fill)
{
    const int c = get_global_id(0), j = get_global_id(1), s = get_global_id(2) / rows, i = get_global_id(2) % rows;
    if (c >= channels || j >= columns || s >= n) return;
    const float2 at = look(t + t0 + 6 * s, i, j, height, width);
    x += x0 + s * leap + c;
    y += y0 + ((ulong)get_global_id(2) * columns + j) * channels + c;
#if BILINEAR
    const float top = floor(at.x), left = floor(at.y);
    const float upper = (left + 1 - at.y) * cell(x, top, left, height, width, pitch, channels, fill)
                        + (at.y - left) * cell(x, top, left + 1, height, width, pitch, channels, fill);
    const float lower = (left + 1 - at.y) * cell(x, top + 1, left, height, width, pitch, channels, fill)
                        + (at.y - left) * cell(x, top + 1, left + 1, height, width, pitch, channels, fill);
    *y = (top + 1 - at.x) * upper + (at.x - top) * lower;
#else
    *y = cell(x, round(at.x), round(at.y), height, width, pitch, channels, fill);
#endif
}

static inline float share(float at, int place)
{
#if BILINEAR
    const float low = floor(at);
    return place == low ? low + 1 - at : place == low + 1 ? at - low : 0;
#else
    return round(at) == place;
#endif
}

/* One work-item: a channel of an input cell, over all output cells that may look at it. dx has no gaps. */
kernel void gradient(global const float *dy, ulong dy0, global float *dx, ulong dx0, global const float *t, ulong t0, int n,
                     int height, int width, int channels, ulong pitch, ulong leap, int rows, int columns)
{
    const int c = get_global_id(0), q = get_global_id(1), s = get_global_id(2) / height, p = get_global_id(2) % height;
    if (c >= channels || q >= width || s >= n) return;
    float sum = 0;
    dy += dy0 + (ulong)s * rows * columns * channels + c;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) {
            const float2 at = look(t + t0 + 6 * s, i, j, height, width);
            sum += share(at.x, p) * share(at.y, q) * dy[((ulong)i * columns + j) * channels];
        }
    dx[dx0 + s * leap + p * pitch + (ulong)q * channels + c] = sum;
}
