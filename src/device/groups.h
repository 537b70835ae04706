/* How work-items are grouped when an op leaves it to us. */
#ifndef STRATA_DEVICE_GROUPS_H
#define STRATA_DEVICE_GROUPS_H

#include <stddef.h>
#include <strata/device.h>

/* Fills local[0 .. dims-1] with powers of four whose product is at most `most` and none of which is over most_items.
 * The choice depends on the class and the range alone, not on the number of compute units, so that a part of a device
 * computes with the same compiled code, and to the same bits, as the whole. */
void strata_groups_choose(strata_device_class class, int dims, const size_t *global, size_t most,
                          const size_t *most_items, size_t *local);

/* n rounded up to a multiple of `group`. */
size_t strata_groups_round(size_t n, size_t group);

#endif
