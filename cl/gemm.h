/* What the CPUs' matrix products share. Needs tile.h. */

/* log2(VW) perfect shuffles transpose. */
static inline void transpose(floatv t[VW])
{
#pragma unroll
    for (int stage = 1; stage < VW; stage *= 2) {
        floatv s[VW];
#pragma unroll
        for (int i = 0; i < VW / 2; ++i) {
            s[2 * i].even = t[i].lo;
            s[2 * i].odd = t[i + VW / 2].lo;
            s[2 * i + 1].even = t[i].hi;
            s[2 * i + 1].odd = t[i + VW / 2].hi;
        }
#pragma unroll
        for (int i = 0; i < VW; ++i) t[i] = s[i];
    }
}

/* A tile of C (., n). */
static inline void store(floatv acc[MR][NV], global float *c, int n, int rows, int columns, bool add, bool last,
                         global const float *bias, int factor)
{
    ulong at[MR];
#pragma unroll
    for (int r = 0; r < MR; ++r) at[r] = (ulong)r * n;
    tile_store(acc, c, at, rows, columns, add, last, bias, factor);
}
