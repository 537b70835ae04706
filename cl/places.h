/* Where in its window of at most 256 cells each of VW maxima was: bytes in memory, numbers in a work-item. Needs vector.h before it. */

/* The maxima so far and where they were, with another cell: the first ones where there are several; a NaN wins. */
static inline void take_cell(floatv *best, intv *where, floatv v, int cell)
{
    const intv stays = (v <= *best) | (*best != *best);
    *best = stays ? *best : v;
    *where = stays ? *where : (intv)cell;
}

#if VW == 1
#define LOADB(from) ((int)*(from))
#define STOREB(v, to) (*(to) = (uchar)(v))
#else
#define LOADB(from) OF_WIDTH(convert_int, VW)(OF_WIDTH(vload, VW)(0, (from)))
#define STOREB(v, to) OF_WIDTH(vstore, VW)(OF_WIDTH(convert_uchar, VW)(v), 0, (to))
#define OF_WIDTH_(name, width) name##width
#define OF_WIDTH(name, width) OF_WIDTH_(name, width)
#endif
