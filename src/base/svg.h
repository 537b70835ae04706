/* Pieces of SVG. */
#ifndef STRATA_BASE_SVG_H
#define STRATA_BASE_SVG_H

#include "base/text.h"

/* The document's head: a white page of width x height with a sans-serif font. End with "</svg>\n". */
void strata_svg_begin(struct text *out, double width, double height);

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };
/* Text at a point, escaped; style holds attributes, such as "fill=\"#666\" font-size=\"11\"". */
void strata_svg_text(struct text *out, double x, double y, enum svg_anchor anchor, const char *style,
                     const char *text);
void strata_svg_line(struct text *out, double x1, double y1, double x2, double y2, const char *style);

#endif
