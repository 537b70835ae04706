/* Numbers as files hold them. */
#ifndef STRATA_DATA_NUMBER_H
#define STRATA_DATA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <strata/data.h>

enum number_kind { NUMBER_FLOAT, NUMBER_SIGNED, NUMBER_UNSIGNED };

/* Of `size` bytes: floats 2, 4 or 8 (IEEE 754), integers 1, 2, 4 or 8. */
struct number {
    enum number_kind kind;
    size_t size;
    bool big; /* the highest byte comes first */
};

/* What such numbers become: floats float32, bytes uint8, integers that fit int32, the others int64. */
strata_type strata_number_type(const struct number *number);

/* Converts `count` numbers, which need not be aligned. false: an integer does not fit `as`; *bad is its index. */
bool strata_numbers_convert(const struct number *number, const void *from, size_t count, strata_type as, void *to,
                            size_t *bad);

#endif
