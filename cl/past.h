/* Whether item `i` of dimension 0 lies behind the `n` that are wanted, in a range that was rounded up to whole groups. Only the last
 * group has such items; where this says so, the compiler makes the others' vectors without masks, whose stores are slow on some
 * processors: an update by Adam takes a third of the time. */
#define PAST(i, n) (get_group_id(0) + 1 == get_num_groups(0) && (i) >= (n))
