/* Some neighbouring columns of a row-major matrix as a matrix of their own, and back. One work-item an element of the
 * narrow matrix y (rows, width); wide is (rows, columns); column `first` of wide is column 0 of y. Items past n do nothing. */
#include "past.h"

kernel void take(global const float *wide, ulong w0, global float *y, ulong y0, ulong columns, ulong first, ulong width, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    y[y0 + i] = wide[w0 + i / width * columns + first + i % width];
}

kernel void put(global const float *y, ulong y0, global float *wide, ulong w0, ulong columns, ulong first, ulong width, ulong n)
{
    const size_t i = get_global_id(0);
    if (PAST(i, n)) return;
    wide[w0 + i / width * columns + first + i % width] = y[y0 + i];
}
