/* A model as a column of boxes in the order of its layers; an input that is not the box above comes in by an arc. */
#include <strata/plot.h>

#include <stdio.h>
#include <string.h>

#include "base/svg.h"
#include "model/model_priv.h"

static const double box_width = 360, box_height = 46, gap = 26, left = 24, top = 24, lane = 14;

static double y_of(size_t index)
{
    return top + (double)index * (box_height + gap);
}

static void draw_box(double y, const char *name, const char *class_name, const char *shape,
                     const char *params, const char *fill, struct text *out)
{
    strata_text_add(
        out, "<rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" rx=\"5\" fill=\"%s\" stroke=\"#7a93ac\"/>\n",
        left, y, box_width, box_height, fill);
    strata_svg_text(out, left + 12, y + 19, SVG_START, "font-weight=\"bold\" fill=\"#222\"", name);
    strata_svg_text(out, left + 12, y + 36, SVG_START, "fill=\"#555\"", class_name);
    strata_svg_text(out, left + box_width - 12, y + 19, SVG_END, "fill=\"#222\"", shape);
    strata_svg_text(out, left + box_width - 12, y + 36, SVG_END, "fill=\"#555\"", params);
}

static void draw_layer(const strata_layer *layer, size_t row, struct text *out)
{
    char shape[STRATA_SHAPE_TEXT] = "?", params[64] = "", class_name[128];
    size_t count = 0;
    strata_error err = { 0 };
    if (layer->built) {
        strata_shape_text(&layer->out, "None", shape);
        if (strata_layer_count_params(layer, &count, &err) && count > 0)
            snprintf(params, sizeof params, "%zu parameters%s", count, layer->trainable ? "" : ", frozen");
    }
    snprintf(class_name, sizeof class_name, layer->model ? "%.60s of %zu layers" : "%.60s",
             strata_layer_class_name(layer), layer->model ? strata_model_layer_count(layer->model) : 0);
    draw_box(y_of(row), strata_layer_name(layer), class_name, shape, params,
             layer->model ? "#fdebd9"
             : count > 0  ? "#e3eef8"
                          : "#f5f5f5",
             out);
}

/* From the box in row `from` to the one in row `to`. */
static void draw_link(size_t from, size_t to, struct text *out)
{
    const double x = left + box_width / 2, right = left + box_width, end = y_of(to);
    if (from + 1 == to) {
        strata_svg_line(out, x, y_of(from) + box_height, x, end - 2,
                        "stroke=\"#555\" marker-end=\"url(#tip)\"");
        return;
    }
    const double y1 = y_of(from) + box_height - 10, y2 = end + 10;
    const double out_to = right + 20 + lane * (double)(to - from > 6 ? 6 : to - from);
    strata_text_add(out,
                    "<path fill=\"none\" stroke=\"#999\" marker-end=\"url(#tip)\" "
                    "d=\"M%g %g C%g %g %g %g %g %g\"/>\n",
                    right, y1, out_to, y1, out_to, y2, right + 2, y2);
}

/* A Sequential does not list its Input; it is drawn as the first row. */
static size_t draw_input(const strata_model *model, struct text *out)
{
    char shape[STRATA_SHAPE_TEXT] = "?";
    if (!model->sequential) return 0;
    if (model->input.known) strata_shape_text(&model->input.shape, "None", shape);
    draw_box(y_of(0), "input", "Input", shape, "", "#f5f5f5", out);
    return 1;
}

char *strata_model_svg(const strata_model *model, strata_error *err)
{
    struct text out = { 0 };
    const size_t rows = model->count + (model->sequential ? 1 : 0);
    strata_svg_begin(&out, left + box_width + 20 + 7 * lane, y_of(rows) - gap + top);
    strata_text_add(&out,
                    "<defs><marker id=\"tip\" markerWidth=\"9\" markerHeight=\"8\" refX=\"8\" refY=\"4\" "
                    "orient=\"auto\"><path d=\"M0 0L9 4L0 8z\" fill=\"#555\"/></marker></defs>\n");
    const size_t first = draw_input(model, &out);
    for (size_t i = 0; i < model->count; i++) {
        const struct node *node = &model->nodes[i];
        draw_layer(node->layer, first + i, &out);
        for (int j = 0; j < node->input_count; j++) {
            if (node->inputs[j] != MODEL_INPUT)
                draw_link(first + (size_t)node->inputs[j], first + i, &out);
            else if (first == 1)
                draw_link(0, first + i, &out);
        }
    }
    strata_text_add(&out, "</svg>\n");
    return strata_text_take(&out, err);
}
