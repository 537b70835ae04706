/* An activation's gradient dx = dy * f' of matrices (rows, columns) and, in the same pass, the sums of its rows: part (grains * slices,
 * columns), one row for each slice of `slice` rows, which begin anew with each grain of `each` rows. They are of what goes to dx before it
 * is rounded to what is kept. -D VW, -D CHUNKS, -D KEPT and -D ACTIVATION, see vector.h, chunks.h, kept.h and activation.h.
 * One work-item: VW * CHUNKS columns of one slice. */
#include "alone.h"
#include "vector.h"
#include "chunks.h"
#include "kept.h"
#include "activation.h"

/* value is x or y, whichever ACTIVATE_GRADIENT takes; dx may be dy. */
ALONE kernel void gradient(global const kept *value, ulong value0, global const kept *dy, ulong dy0, global kept *dx, ulong dx0,
                     global float *part, ulong part0, ulong rows, ulong columns, ulong each, ulong slice, ulong slices)
{
    const size_t j = get_global_id(0) * VW * CHUNKS, s = get_global_id(1);
    size_t first, last;
    if (!slice_rows(s, rows, each, slice, slices, &first, &last) || j >= columns) return;
    floatv sum[CHUNKS];
    CLEAR_CHUNKS(sum);
    for (size_t i = first; i < last; i++) {
        for (int c = 0; c < CHUNKS; c++) {
            const size_t at = i * columns + j + c * VW;
            const floatv v = LOADK(value + value0 + at), d = LOADK(dy + dy0 + at);
            const floatv g = ACTIVATE_GRADIENT(v, d);
            STOREK(g, dx + dx0 + at);
            sum[c] += g;
        }
    }
    STORE_CHUNKS(sum, part + part0 + s * columns + j);
}
