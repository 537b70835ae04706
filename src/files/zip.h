/* Zip archives, as .keras and .npz files are. Every entry that is read whole is checked against its checksum. */
#ifndef STRATA_FILES_ZIP_H
#define STRATA_FILES_ZIP_H

#include <stdbool.h>
#include <stddef.h>

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
 * deflated, as Keras does. */
struct archive *strata_zip_create(const char *path, strata_error *err);
/* The bytes are borrowed until strata_zip_commit. */
bool strata_zip_put(struct archive *archive, const char *name, const void *bytes, size_t size,
                    strata_error *err);
/* Nothing but strata_zip_close may follow. */
bool strata_zip_commit(struct archive *archive, strata_error *err);

#endif
