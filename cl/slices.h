/* Sums over the rows of a matrix are those of slices of it, each a work-item of its own. */

/* The rows [*first, *last) of slice s, where slices of `slice` rows begin anew with each grain of `each` rows, `slices` a grain; whether there
 * is such a grain. */
static inline bool slice_rows(size_t s, size_t rows, size_t each, size_t slice, size_t slices, size_t *first, size_t *last)
{
    const size_t grain = s / slices * each;
    *first = grain + s % slices * slice;
    *last = min(min(rows, grain + each), *first + slice);
    return grain < rows;
}
