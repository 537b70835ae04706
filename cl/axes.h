/* A tensor as groups: some axes are kept and number the groups, over the others one goes within a group. Offsets of
 * group g and of element e of a group, each numbered with its last axis fastest.
 *
 *   -D KN, KS0.., KD1..   kept axes, 0 to 3: strides, and extents of all but the first
 *   -D ON, OS0.., OD1..   the others alike */
#if !defined(KN) || !defined(ON)
#error "axes.h needs -D KN and ON"
#endif

static inline ulong kept_offset(uint g)
{
    ulong at = 0;
#if KN > 2
    at += (ulong)(g % KD2) * KS2;
    g /= KD2;
#endif
#if KN > 1
    at += (ulong)(g % KD1) * KS1;
    g /= KD1;
#endif
#if KN > 0
    at += (ulong)g * KS0;
#endif
    return at;
}

static inline ulong over_offset(uint e)
{
    ulong at = 0;
#if ON > 2
    at += (ulong)(e % OD2) * OS2;
    e /= OD2;
#endif
#if ON > 1
    at += (ulong)(e % OD1) * OS1;
    e /= OD1;
#endif
#if ON > 0
    at += (ulong)e * OS0;
#endif
    return at;
}
