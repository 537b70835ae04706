/* An activation's gradient dx = dy * f' of matrices (rows, columns) and, in the same pass, the sums of its rows: part (grains * slices,
 * columns), one row for each slice of `slice` rows, which begin anew with each grain of `each` rows. They are of what goes to dx before it
 * is rounded to what is kept. -D VW, -D KEPT and -D ACTIVATION, see vector.h, kept.h and activation.h.
 * One work-item: VW * `chunks` columns of one slice, 1, 2, 4 or 8: one program for all of them, for to build one takes longer. */
#include "alone.h"
#include "vector.h"
#include "slices.h"
#include "kept.h"
#include "activation.h"

#define MOST_CHUNKS 8

/* Of rows [first, last); `chunks` is a constant, so that the sums stay in registers. */
static inline void sum_rows(global const kept *value, global const kept *dy, global kept *dx, global float *part, size_t columns, size_t first,
                            size_t last, const int chunks)
{
    floatv sum[MOST_CHUNKS];
    for (int c = 0; c < chunks; c++) sum[c] = 0.0f;
    for (size_t i = first; i < last; i++)
        for (int c = 0; c < chunks; c++) {
            const size_t at = i * columns + c * VW;
            const floatv v = LOADK(value + at), d = LOADK(dy + at);
            const floatv g = ACTIVATE_GRADIENT(v, d);
            STOREK(g, dx + at);
            sum[c] += g;
        }
    for (int c = 0; c < chunks; c++) STOREV(sum[c], part + c * VW);
}

/* value is x or y, whichever ACTIVATE_GRADIENT takes; dx may be dy. */
ALONE kernel void gradient(global const kept *value, ulong value0, global const kept *dy, ulong dy0, global kept *dx, ulong dx0,
                     global float *part, ulong part0, ulong rows, ulong columns, ulong each, ulong slice, ulong slices, int chunks)
{
    const size_t j = get_global_id(0) * VW * chunks, s = get_global_id(1);
    size_t first, last;
    if (!slice_rows(s, rows, each, slice, slices, &first, &last) || j >= columns) return;
    value += value0 + j;
    dy += dy0 + j;
    dx += dx0 + j;
    part += part0 + s * columns + j;
    switch (chunks) {
    case 8: sum_rows(value, dy, dx, part, columns, first, last, 8); break;
    case 4: sum_rows(value, dy, dx, part, columns, first, last, 4); break;
    case 2: sum_rows(value, dy, dx, part, columns, first, last, 2); break;
    default: sum_rows(value, dy, dx, part, columns, first, last, 1);
    }
}
