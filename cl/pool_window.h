/* Windows of pooling over (n, height, width, channels), channels last.
 *
 *   -D PH PW SH SW PT PL     window, stride, and the padding above and left */
#if !defined(PH) || !defined(PW) || !defined(SH) || !defined(SW) || !defined(PT) || !defined(PL)
#error "pool_window.h needs -D PH, PW, SH, SW, PT, PL"
#endif

/* The first window that covers cell i, of those that begin every `stride` cells. */
static inline int first_window(int i, int window, int stride)
{
    return i < window ? 0 : (i - window) / stride + 1;
}
