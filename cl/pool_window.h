/* Windows of pooling over (n, height, width, channels), channels last.
 *
 *   -D PH PW SH SW PT PL     window, stride, and the padding above and left
 *   -D INSIDE                1: no window goes beyond the input */
#if !defined(PH) || !defined(PW) || !defined(SH) || !defined(SW) || !defined(PT) || !defined(PL) || !defined(INSIDE)
#error "pool_window.h needs -D PH, PW, SH, SW, PT, PL, INSIDE"
#endif

/* Of a window that begins at `start`: its cells in 0..extent-1, the last one not counted. */
#if INSIDE
#define FIRST(start) 0
#define LAST(start, window, extent) (window)
#else
#define FIRST(start) max(0, -(start))
#define LAST(start, window, extent) min(window, (extent) - (start))
#endif

/* The first window that covers cell i, of those that begin every `stride` cells. */
static inline int first_window(int i, int window, int stride)
{
    return i < window ? 0 : (i - window) / stride + 1;
}
