/* The moments of what a work-item makes of VW channels, a slice of struct moments (ops/moments.h). Distances are from the first value,
 * so that little is lost where the mean is large. Needs vector.h and some.h. */

struct moments {
    floatv first, sum, squares;
};

static inline void moments_begin(struct moments *m, floatv first)
{
    m->first = first;
    m->sum = 0.0f;
    m->squares = 0.0f;
}

static inline void moments_add(struct moments *m, floatv v)
{
    const floatv d = v - m->first;
    m->sum += d;
    m->squares += d * d;
}

/* Of `count` values, to a slice of `all` channels; part is at the first of VW, or of as many as are left. */
static inline void moments_store(const struct moments *m, global float *part, int all, int slice, int count, int left)
{
    const floatv mean = m->sum / (float)count, squares = m->squares - m->sum * mean;
    part += (ulong)slice * 2 * all;
    store_some(m->first + mean, part, left);
    store_some(squares < 0.0f ? (floatv)(0.0f) : squares, part + all, left); /* a NaN stays one */
}

/* How many, behind all of the slices. */
static inline void moments_count(global float *part, int all, int slices, int slice, int count)
{
    part[(ulong)slices * 2 * all + slice] = count;
}
