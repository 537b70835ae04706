/* Elementwise activations: y = f(x) and dx = dy * f'. -D VW and -D ACTIVATION, see vector.h and activation.h.
 * One work-item: VW neighbouring elements; items past n / VW do nothing. */
#include "vector.h"
#include "activation.h"

kernel void forward(global const float *x, ulong x0, global float *y, ulong y0, ulong n)
{
    const size_t i = get_global_id(0);
    if (i >= n) return;
    const floatv v = LOADV(x + x0 + i * VW);
    STOREV(ACTIVATE(v), y + y0 + i * VW);
}

/* value is x or y, whichever ACTIVATE_GRADIENT takes; dx may be dy. */
kernel void gradient(global const float *value, ulong value0, global const float *dy, ulong dy0, global float *dx,
                     ulong dx0, ulong n)
{
    const size_t i = get_global_id(0);
    if (i >= n) return;
    const floatv v = LOADV(value + value0 + i * VW), d = LOADV(dy + dy0 + i * VW);
    STOREV(ACTIVATE_GRADIENT(v, d), dx + dx0 + i * VW);
}
