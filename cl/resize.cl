/* Enlarging images (n, height, width, channels) by whole factors SH and SW (-D), with the weights of -D METHOD:
 *   1 bilinear, 2 bicubic, 3 lanczos3, 4 lanczos5.
 * Output cell i lies at (i + 1/2) / factor - 1/2 of the input; cells outside the input have no weight, and the weights of the
 * others are brought to a sum of 1. Source: TensorFlow's resize_bilinear, resize_bicubic (A = -1/2, distances rounded to
 * 1/1024) with half_pixel_centers, and scale_and_translate.
 * One work-item: a channel of a cell. Dimension 0 channels, 1 columns, 2 samples and rows. */
#if !defined(METHOD) || !defined(SH) || !defined(SW)
#error "resize.cl needs -D METHOD, SH and SW"
#endif

#if METHOD == 1
#define RADIUS 1
#elif METHOD == 2
#define RADIUS 2
#elif METHOD == 3
#define RADIUS 3
#else
#define RADIUS 5
#endif

/* The weight, before they are brought to 1, of a cell at distance d. */
static inline float weight(float d)
{
    d = fabs(d);
#if METHOD == 1
    return fmax(1 - d, 0.0f);
#elif METHOD == 2
    d = rint(d * 1024) / 1024;
    return d <= 1 ? (1.5f * d - 2.5f) * d * d + 1 : d < 2 ? ((-0.5f * d + 2.5f) * d - 4) * d + 2 : 0;
#else
    if (d >= RADIUS) return 0;
    return d <= 1e-3f ? 1 : RADIUS * sinpi(d) * sinpi(d / RADIUS) / (M_PI_F * M_PI_F * d * d);
#endif
}

static inline float place(int i, int factor)
{
    return (i + 0.5f) / factor - 0.5f;
}

static inline float total(float at, int extent)
{
    const int first = max(0, (int)ceil(at - RADIUS)), last = min(extent - 1, (int)floor(at + RADIUS));
    float sum = 0;
    for (int i = first; i <= last; i++)
        sum += weight(i - at);
    return sum;
}

kernel void forward(global const float *x, ulong x0, global float *y, ulong y0, int n, int height, int width, int channels)
{
    const int c = get_global_id(0), j = get_global_id(1), s = get_global_id(2) / (height * SH), i = get_global_id(2) % (height * SH);
    if (c >= channels || j >= width * SW || s >= n) return;
    const float row = place(i, SH), column = place(j, SW);
    const int p1 = min(height - 1, (int)floor(row + RADIUS)), q0 = max(0, (int)ceil(column - RADIUS));
    const int q1 = min(width - 1, (int)floor(column + RADIUS));
    float sum = 0;
    for (int p = max(0, (int)ceil(row - RADIUS)); p <= p1; p++) {
        float line = 0;
        for (int q = q0; q <= q1; q++)
            line += weight(q - column) * x[x0 + (((ulong)s * height + p) * width + q) * channels + c];
        sum += weight(p - row) * line;
    }
    y[y0 + (((ulong)get_global_id(2)) * width * SW + j) * channels + c] = sum / (total(row, height) * total(column, width));
}

kernel void gradient(global const float *dy, ulong dy0, global float *dx, ulong dx0, int n, int height, int width, int channels)
{
    const int c = get_global_id(0), q = get_global_id(1), s = get_global_id(2) / height, p = get_global_id(2) % height;
    if (c >= channels || q >= width || s >= n) return;
    const int i1 = min(height * SH - 1, (p + RADIUS + 1) * SH), j1 = min(width * SW - 1, (q + RADIUS + 1) * SW);
    float sum = 0;
    for (int i = max(0, (p - RADIUS) * SH); i <= i1; i++) {
        const float row = place(i, SH), share = weight(p - row) / total(row, height);
        float line = 0;
        for (int j = max(0, (q - RADIUS) * SW); share != 0 && j <= j1; j++) {
            const float column = place(j, SW);
            line += weight(q - column) / total(column, width)
                    * dy[dy0 + (((ulong)s * height * SH + i) * width * SW + j) * channels + c];
        }
        sum += share * line;
    }
    dx[dx0 + (((ulong)get_global_id(2)) * width + q) * channels + c] = sum;
}
