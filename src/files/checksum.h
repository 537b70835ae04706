/* The checksum of zip archives. */
#ifndef STRATA_FILES_CHECKSUM_H
#define STRATA_FILES_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint32_t strata_checksum(const void *bytes, size_t size); /* CRC-32 of ISO 3309, as zlib's crc32 */

#endif
