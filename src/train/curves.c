/* Learning curves: a panel for loss, one for each metric. */
#include <strata/plot.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/svg.h"

static const double panel_width = 640, panel_height = 240, margin_left = 64, margin_right = 16,
                    margin_top = 34, margin_bottom = 34, title_height = 30;

/* The axes of one panel: where on the page, and which numbers. */
struct axes {
    double left, top, right, bottom;
    double least, most, step; /* of y */
    size_t epochs;
};

/* 1, 2 or 5 times a power of ten: the distance of some `ticks` ticks over the range. */
static double nice_step(double range, int ticks)
{
    const double rough = range / ticks, power = pow(10, floor(log10(rough))), digit = rough / power;
    return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

static double x_of(const struct axes *a, double epoch)
{
    const double part = a->epochs > 1 ? epoch / (double)(a->epochs - 1) : 0.5;
    return a->left + part * (a->right - a->left);
}

static double y_of(const struct axes *a, double value)
{
    return a->bottom - (value - a->least) / (a->most - a->least) * (a->bottom - a->top);
}

static bool is_validation(const char *name)
{
    return strncmp(name, "val_", 4) == 0;
}

static const char *quantity(const char *name)
{
    return is_validation(name) ? name + 4 : name;
}

static void find_range(struct axes *a, const char *name, const strata_curve *curves, size_t count)
{
    double least = (double)INFINITY, most = -(double)INFINITY;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(quantity(curves[i].name), name) != 0) continue;
        a->epochs = curves[i].count > a->epochs ? curves[i].count : a->epochs;
        for (size_t j = 0; j < curves[i].count; j++) {
            if (!isfinite(curves[i].values[j])) continue;
            least = fmin(least, curves[i].values[j]);
            most = fmax(most, curves[i].values[j]);
        }
    }
    if (!isfinite(least)) least = most = 0;
    if (most - least < 1e-9 * fmax(1, fabs(most))) {
        most += 0.5 * fmax(1e-3, fabs(most));
        least -= 0.5 * fmax(1e-3, fabs(least));
    }
    a->step = nice_step(most - least, 4);
    a->least = floor(least / a->step) * a->step;
    a->most = ceil(most / a->step) * a->step;
}

static void draw_axes(const struct axes *a, const char *name, struct text *out)
{
    char label[32];
    strata_svg_text(out, a->left, a->top - 10, SVG_START, "font-weight=\"bold\" fill=\"#222\"", name);
    for (int i = 0; a->least + i * a->step <= a->most + 0.5 * a->step; i++) {
        const double value = a->least + i * a->step, y = y_of(a, value);
        snprintf(label, sizeof label, "%.4g", fabs(value) < 1e-9 * a->step ? 0 : value);
        strata_svg_line(out, a->left, y, a->right, y, "stroke=\"#e4e4e4\"");
        strata_svg_text(out, a->left - 8, y + 4, SVG_END, "fill=\"#555\" font-size=\"11\"", label);
    }
    const size_t every = a->epochs > 12 ? (size_t)fmax(1, nice_step((double)a->epochs, 8)) : 1;
    for (size_t e = 0; e < a->epochs; e++) {
        if ((e + 1) % every != 0 && !(every > 1 && e == 0)) continue;
        snprintf(label, sizeof label, "%zu", e + 1);
        strata_svg_line(out, x_of(a, (double)e), a->bottom, x_of(a, (double)e), a->bottom + 4,
                        "stroke=\"#888\"");
        strata_svg_text(out, x_of(a, (double)e), a->bottom + 17, SVG_MIDDLE, "fill=\"#555\" font-size=\"11\"",
                        label);
    }
    strata_svg_line(out, a->left, a->bottom, a->right, a->bottom, "stroke=\"#888\"");
    strata_svg_text(out, a->right, a->bottom + 30, SVG_END, "fill=\"#555\" font-size=\"11\"", "epoch");
}

static void draw_curve(const struct axes *a, const strata_curve *curve, struct text *out)
{
    const char *colour = is_validation(curve->name) ? "#e6550d" : "#2171b5";
    bool drawing = false;
    strata_text_add(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"", colour);
    for (size_t j = 0; j < curve->count; j++) {
        if (!isfinite(curve->values[j])) continue; /* the line goes on to the next epoch that has a number */
        strata_text_add(out, "%c%.1f %.1f", drawing ? 'L' : 'M', x_of(a, (double)j),
                        y_of(a, curve->values[j]));
        drawing = true;
    }
    strata_text_add(out, "\"/>\n");
    for (size_t j = 0; j < curve->count && curve->count <= 60; j++)
        if (isfinite(curve->values[j]))
            strata_text_add(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" fill=\"%s\"/>\n",
                            x_of(a, (double)j), y_of(a, curve->values[j]), colour);
}

static void draw_legend(const struct axes *a, bool validation, struct text *out)
{
    double x = a->right - (validation ? 170 : 80);
    strata_svg_line(out, x, a->top - 14, x + 18, a->top - 14, "stroke=\"#2171b5\" stroke-width=\"2\"");
    strata_svg_text(out, x + 24, a->top - 10, SVG_START, "fill=\"#333\"", "training");
    if (!validation) return;
    x += 90;
    strata_svg_line(out, x, a->top - 14, x + 18, a->top - 14, "stroke=\"#e6550d\" stroke-width=\"2\"");
    strata_svg_text(out, x + 24, a->top - 10, SVG_START, "fill=\"#333\"", "validation");
}

static void draw_panel(const char *name, double top, const strata_curve *curves, size_t count,
                       struct text *out)
{
    struct axes a = { .left = margin_left,
                      .top = top + margin_top,
                      .right = panel_width - margin_right,
                      .bottom = top + panel_height - margin_bottom };
    bool validation = false;
    find_range(&a, name, curves, count);
    draw_axes(&a, name, out);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(quantity(curves[i].name), name) != 0) continue;
        draw_curve(&a, &curves[i], out);
        validation = validation || is_validation(curves[i].name);
    }
    draw_legend(&a, validation, out);
}

/* Whether curve i is the first of its quantity, which then gets a panel. */
static bool opens_panel(const strata_curve *curves, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(quantity(curves[j].name), quantity(curves[i].name)) == 0) return false;
    return true;
}

char *strata_curves_svg(const char *title, const strata_curve *curves, size_t count, strata_error *err)
{
    struct text out = { 0 };
    double panels = 0, top = title_height;
    for (size_t i = 0; i < count; i++) panels += opens_panel(curves, i);
    strata_svg_begin(&out, panel_width, title_height + fmax(panels, 1) * panel_height);
    strata_svg_text(&out, panel_width / 2, 22, SVG_MIDDLE, "font-size=\"15\" fill=\"#222\"", title);
    for (size_t i = 0; i < count; i++) {
        if (!opens_panel(curves, i)) continue;
        draw_panel(quantity(curves[i].name), top, curves, count, &out);
        top += panel_height;
    }
    strata_text_add(&out, "</svg>\n");
    return strata_text_take(&out, err);
}
