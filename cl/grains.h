/* Sums of grains, added in the order of one binary tree: node (level, index) is the sum of grains index 2^level to
 * (index + 1) 2^level, left half plus right half; halves beyond the last grain are left out. As a counter carries, a sum goes
 * on a stack after the tops that stand for as many grains were added to it. What is left in the end is added from the top.
 * Of up to 2^k grains the stack holds at most k sums, of a single one that. */
#define GRAIN_LEVELS 10

/* How many tops are added to the sum of grain g before it goes on the stack. */
static inline int grain_merges(uint g)
{
    int merges = 0;
    while (g >> merges & 1) ++merges;
    return merges;
}
