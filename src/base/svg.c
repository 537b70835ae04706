#include "base/svg.h"

void strata_svg_begin(struct text *out, double width, double height)
{
    strata_text_add(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" viewBox=\"0 0 %g %g\" "
        "font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\">\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
        width, height, width, height);
}

static void add_escaped(struct text *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            strata_text_add(out, "&amp;");
            break;
        case '<':
            strata_text_add(out, "&lt;");
            break;
        case '>':
            strata_text_add(out, "&gt;");
            break;
        default:
            strata_text_add_bytes(out, text, 1);
            break;
        }
    }
}

void strata_svg_text(struct text *out, double x, double y, enum svg_anchor anchor, const char *style,
                     const char *text)
{
    static const char *const anchors[] = { "start", "middle", "end" };
    strata_text_add(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" %s>", x, y, anchors[anchor], style);
    add_escaped(out, text);
    strata_text_add(out, "</text>\n");
}

void strata_svg_line(struct text *out, double x1, double y1, double x2, double y2, const char *style)
{
    strata_text_add(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1, y1, x2, y2,
                    style);
}
