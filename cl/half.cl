/* Tensors of halves among floats. One work-item an element; items past n do nothing. A tensor is a buffer and an offset in
 * elements.
 *
 * -DFROM     how x and a are kept (half.h)
 * -DTHROUGH  how finely numbers are rounded on their way
 * -DTO       how y and b are kept */
#include "half.h"
#include "past.h"

#if !defined FROM || !defined THROUGH || !defined TO
#error "half.cl needs -D FROM, -D THROUGH and -D TO"
#endif

/* y = x, rounded; y may be x where they are kept alike. */
kernel void convert(global const OF_KIND(STORED, FROM) *x, ulong x0, global OF_KIND(STORED, TO) *y, ulong y0, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    const float v = OF_KIND(LOAD, FROM)(i, x + x0);
    OF_KIND(STORE, TO)(OF_KIND(ROUND, THROUGH)(v), i, y + y0);
}

/* y = a + b; y may be a or b. */
kernel void add(global const OF_KIND(STORED, FROM) *a, ulong a0, global const OF_KIND(STORED, TO) *b, ulong b0,
                global OF_KIND(STORED, TO) *y, ulong y0, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    OF_KIND(STORE, TO)(OF_KIND(LOAD, FROM)(i, a + a0) + OF_KIND(LOAD, TO)(i, b + b0), i, y + y0);
}
