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

/* An archive that is being written. Entries are stored, not deflated, as Keras does. */
struct new_archive;

struct new_archive *strata_zip_create(strata_error *err);
void strata_zip_free(struct new_archive *zip); /* takes NULL */
/* The bytes are borrowed until the archive is freed. */
bool strata_zip_put(struct new_archive *zip, const char *name, const void *bytes, size_t size, strata_error *err);
/* Replaces the file at `path` whole. */
bool strata_zip_write(struct new_archive *zip, const char *path, strata_error *err);
/* What strata_zip_write writes, piece by piece. */
bool strata_zip_send(struct new_archive *zip, bool (*take)(void *context, const void *bytes, size_t size, strata_error *err),
                     void *context, strata_error *err);

#endif
