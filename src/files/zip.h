/* Zip archives, as .keras and .npz files are. Every entry that is read whole is checked against its checksum. */
#ifndef STRATA_FILES_ZIP_H
#define STRATA_FILES_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files/names.h"

struct archive;

struct archive *strata_zip_open(const char *path, strata_error *err);
void strata_zip_close(struct archive *archive); /* takes NULL */
bool strata_zip_has(const struct archive *archive, const char *name);
bool strata_zip_names(const struct archive *archive, struct names *names, strata_error *err);
/* An entry as bytes with a NUL after them; release with free. STRATA_EFILE when it is missing or damaged. */
bool strata_zip_read(const struct archive *archive, const char *name, void **bytes, size_t *size,
                     strata_error *err);

/* An archive that replaces a file whole at strata_zip_commit, and leaves it as it was where that does not come. Entries are stored, not
 * deflated, as Keras does. What is large and begins with a page of memory goes past the page cache. */
struct zip_writer;
struct zip_writer *strata_zip_create(const char *path, strata_error *err);
bool strata_zip_put(struct zip_writer *zip, const char *name, const void *bytes, size_t size, strata_error *err);
/* Of bytes whose checksum is known. */
bool strata_zip_put_known(struct zip_writer *zip, const char *name, const void *bytes, size_t size, uint32_t checksum, strata_error *err);
/* Nothing but strata_zip_free may follow. */
bool strata_zip_commit(struct zip_writer *zip, strata_error *err);
void strata_zip_free(struct zip_writer *zip); /* takes NULL */

/* The checksum of an entry, a CRC-32, of some bytes and those before it, which had `before`; 0 before the first. */
uint32_t strata_zip_checksum(uint32_t before, const void *bytes, size_t size);

#endif
