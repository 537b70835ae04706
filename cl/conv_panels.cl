/* The weights of a convolution in panels of `width` output channels, as conv_tiled.h reads them: after a run of zeros, line
 * (group, panel, tap, channel) holds w[tap, channel, panel * width ...] of the group, zeros after its last filter. w is (taps, channels of
 * a group, filters of all groups). `reversed`: for the input gradient taps are reversed and w is transposed: w is (taps, filters of a
 * group, channels of all groups). */
#include "alone.h"

/* One work-item: a line, the first `zeros` of them zeros; items past the last do nothing. channels and filters are those of a group. */
ALONE kernel void pack(global const float *w, ulong w0, global float *packed, ulong packed0, int items, int zeros, int width, int taps,
                       int channels, int filters, int groups, int reversed)
{
    const int item = get_global_id(0);
    if (item >= items) return;
    const int line = item - zeros, c = line % channels, tap = line / channels % taps, panel = line / channels / taps;
    const int panels = (filters + width - 1) / width, g = panel / panels, first = panel % panels * width;
    const int some = line < 0 ? 0 : min(width, filters - first), step = reversed ? channels * groups : 1;
    w += w0 + (reversed ? (ulong)((taps - 1 - tap) * filters + first) * step + g * channels + c
                        : ((ulong)tap * channels + c) * filters * groups + g * filters + first);
    packed += packed0 + (ulong)item * width;

    for (int j = 0; j < some; ++j) packed[j] = w[(ulong)j * step];
    for (int j = some; j < width; ++j) packed[j] = 0;
}
