/* Built programs on disk: one file an entry, in the folder "kernels" of the cache folder. Nothing here is an error:
 * what cannot be read or believed is built again, what cannot be written is built at each start. Many processes may
 * read and write the same entry at once. */
#ifndef STRATA_DEVICE_KERNEL_STORE_H
#define STRATA_DEVICE_KERNEL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A 128-bit hash of everything that the binary depends on. */
struct store_key {
    uint64_t low, high;
};

/* Whether the environment names a folder for the store. */
bool strata_store_has_place(void);

/* The bytes of an entry (free), if it is there whole and undamaged. */
bool strata_store_read(const struct store_key *key, unsigned char **bytes, size_t *size);
void strata_store_write(const struct store_key *key, const void *bytes, size_t size);

#endif
