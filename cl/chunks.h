/* A work-item that goes along the rows of a matrix takes -D CHUNKS times VW neighbouring columns: on processors as many as come
 * to most of a row, so that what is read lies one behind the other. After vector.h. */
#ifndef CHUNKS
#error "chunks.h needs -D CHUNKS"
#endif

/* The rows [*first, *last) of slice s, where slices of `slice` rows begin anew with each grain of `each` rows, `slices` a grain; whether there
 * is such a grain. */
static inline bool slice_rows(size_t s, size_t rows, size_t each, size_t slice, size_t slices, size_t *first, size_t *last)
{
    const size_t grain = s / slices * each;
    *first = grain + s % slices * slice;
    *last = min(min(rows, grain + each), *first + slice);
    return grain < rows;
}

#define CLEAR_CHUNKS(sum) for (int c = 0; c < CHUNKS; c++) (sum)[c] = 0.0f
#define STORE_CHUNKS(sum, to) for (int c = 0; c < CHUNKS; c++) STOREV((sum)[c], (to) + c * VW)
