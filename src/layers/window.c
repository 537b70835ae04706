#include "layers/window.h"

#include <stdio.h>

bool strata_plane(const struct shape *in, int dims, const char *class_name, struct plane *plane,
                  strata_error *err)
{
    if (!strata_layer_expect_rank(in, dims + 1, class_name, err)) return false;
    *plane = dims == 1 ? (struct plane){ 1, in->dim[0], in->dim[1] }
                       : (struct plane){ in->dim[0], in->dim[1], in->dim[2] };
    return true;
}

static void spread(long to[2], int dims, const struct ints *from)
{
    to[0] = dims == 2 && from ? from->v[0] : 1;
    to[1] = from ? from->v[dims - 1] : 1;
}

struct windows strata_windows(int dims, const struct ints *size, const struct ints *stride,
                              const struct ints *dilation, int padding)
{
    struct windows windows = { .padding = padding };
    spread(windows.size, dims, size);
    spread(windows.stride, dims, stride);
    spread(windows.dilation, dims, dilation);
    return windows;
}

/* One axis; false when no window fits. */
static bool place(struct windows *w, int axis, size_t in)
{
    const size_t reach = (size_t)((w->size[axis] - 1) * w->dilation[axis] + 1),
                 stride = (size_t)w->stride[axis];
    w->pad[axis] = 0;
    if (w->padding == PADDING_SAME) {
        w->out[axis] = (in + stride - 1) / stride;
        const size_t covered = w->out[axis] > 0 ? (w->out[axis] - 1) * stride + reach : 0;
        w->pad[axis] = covered > in ? (int)((covered - in) / 2) : 0;
        return in > 0;
    }
    const size_t padded = w->padding == PADDING_CAUSAL ? in + reach - 1 : in;
    w->pad[axis] = (int)(padded - in);
    w->out[axis] = padded >= reach ? (padded - reach) / stride + 1 : 0;
    return w->out[axis] > 0;
}

static const char *size_text(const struct windows *w, int dims, char buffer[64])
{
    int used = 0;
    for (int axis = 2 - dims; axis < 2; axis++)
        used += snprintf(buffer + used, 64 - (size_t)used, "%s%ld", used ? "x" : "", w->size[axis]);
    return buffer;
}

bool strata_windows_place(struct windows *windows, const struct shape *in, int dims, const char *what,
                          strata_error *err)
{
    char text[STRATA_SHAPE_TEXT], size[64];
    const size_t height = dims == 2 ? in->dim[0] : 1, width = in->dim[dims - 1];
    if (place(windows, 0, height) && place(windows, 1, width)) return true;
    const bool dilated = windows->dilation[0] > 1 || windows->dilation[1] > 1;
    return strata_fail(
        err, STRATA_ESHAPE,
        "%s %s%s does not fit its input %s with padding \"valid\"; use padding \"same\" or a smaller %s",
        what, size_text(windows, dims, size), dilated ? " (dilated)" : "", strata_layer_shape_text(in, text),
        what);
}

struct shape strata_plane_shape(int dims, const size_t out[2], size_t channels)
{
    if (dims == 1) return (struct shape){ 2, { out[1], channels } };
    return (struct shape){ 3, { out[0], out[1], channels } };
}
