/* Elementwise activations: y = f(x) and dx = dy * f'. -D VW, -D KEPT and -D ACTIVATION, see vector.h, kept.h and activation.h.
 * One work-item: VW neighbouring elements; items past n / VW do nothing. */
#include "alone.h"
#include "vector.h"
#include "kept.h"
#include "activation.h"
#include "past.h"

ALONE kernel void forward(global const kept *x, ulong x0, global kept *y, ulong y0, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const floatv v = LOADK(x + x0 + i * VW);
    STOREK(ACTIVATE(v), y + y0 + i * VW);
}

/* value is x or y, whichever ACTIVATE_GRADIENT takes; dx may be dy. */
ALONE kernel void gradient(global const kept *value, ulong value0, global const kept *dy, ulong dy0, global kept *dx,
                     ulong dx0, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const floatv v = LOADK(value + value0 + i * VW), d = LOADK(dy + dy0 + i * VW);
    STOREK(ACTIVATE_GRADIENT(v, d), dx + dx0 + i * VW);
}
