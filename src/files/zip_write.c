/* Writing zip archives. libzip, which reads them, makes its own checksum of what is stored and moves it in pieces of 8 KB: a checkpoint of
 * 14 MB took 9 ms of a core with it. Here a checksum may be known, and what is large goes to the file from where it lies.
 * Source: PKWARE, APPNOTE.TXT (.ZIP File Format Specification) 6.3.10, of which sections are named. */
#include <libdeflate.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"
#include "files/archive.h"
#include "files/zip.h"

/* Section 4.4. */
enum {
    VERSION = 20,
    VERSION_ZIP64 = 45,
    MADE_ON_UNIX = 3 << 8,
    FLAG_UTF8 = 1 << 11,
    STORED = 0,
    MOST_NAME = UINT16_MAX,
};
#define FILE_MODE ((uint32_t)0100644 << 16)
/* What does not fit says so by all ones, and stands in an extra field or record of zip64 (4.3.14, 4.5.3). */
#define NOT_HERE_16 UINT16_MAX
#define NOT_HERE_32 UINT32_MAX

/* Extra fields: 4.5.3, and Android's, which makes room so that an entry begins at a multiple. */
enum { EXTRA_ZIP64 = 0x0001, EXTRA_ALIGNMENT = 0xd935, EXTRA_HEAD = 4, ALIGNMENT_LEAST = EXTRA_HEAD + 2 };

/* Entries of so many bytes begin with a page of the file, so that they can go past the page cache. */
enum { ALIGNED_LEAST = 64 << 10 };

struct zip_writer {
    struct replacing replacing;
    char *what;
    uint64_t written, entries;
    struct text directory; /* the headers of 4.3.12 */
    uint16_t time, date;
};

struct entry {
    const char *name;
    size_t name_length;
    uint64_t size, offset;
    uint32_t checksum;
};

uint32_t strata_zip_checksum(uint32_t before, const void *bytes, size_t size)
{
    return libdeflate_crc32(before, bytes, size);
}

/* As MS-DOS has it (4.4.6), which begins in 1980. */
static void set_time(struct zip_writer *z)
{
    const time_t now = time(NULL);
    struct tm local;
    z->date = 1 << 5 | 1;
    if (!localtime_r(&now, &local) || local.tm_year < 80) return;
    z->time = (uint16_t)(local.tm_hour << 11 | local.tm_min << 5 | local.tm_sec / 2);
    z->date = (uint16_t)((local.tm_year - 80) << 9 | (local.tm_mon + 1) << 5 | local.tm_mday);
}

struct zip_writer *strata_zip_create(const char *path, strata_error *err)
{
    struct zip_writer *z = strata_alloc(1, sizeof *z, err);
    if (!z) return NULL;
    z->replacing.file = -1;
    set_time(z);
    if ((z->what = strata_copy_text(path, err)) && strata_replacing_begin(&z->replacing, path, err)) return z;
    strata_zip_free(z);
    return NULL;
}

void strata_zip_free(struct zip_writer *z)
{
    if (!z) return;
    strata_replacing_cancel(&z->replacing);
    strata_text_free(&z->directory);
    free(z->what);
    free(z);
}

/* ---- headers ---- */

static void add(struct text *to, uint64_t value, size_t bytes)
{
    char little[8];
    for (size_t i = 0; i < bytes; i++) little[i] = (char)(value >> 8 * i);
    strata_text_add_bytes(to, little, bytes);
}

static uint64_t fit_16(uint64_t value)
{
    return value < NOT_HERE_16 ? value : NOT_HERE_16;
}

static uint64_t fit_32(uint64_t value)
{
    return value < NOT_HERE_32 ? value : NOT_HERE_32;
}

static bool is_ascii(const struct entry *e)
{
    for (size_t i = 0; i < e->name_length; i++)
        if ((unsigned char)e->name[i] >= 0x80) return false;
    return true;
}

/* What an entry's header and its copy in the directory have alike. */
static void add_common(const struct zip_writer *z, struct text *to, const struct entry *e, unsigned version, size_t extra)
{
    add(to, version, 2);
    add(to, is_ascii(e) ? 0 : FLAG_UTF8, 2);
    add(to, STORED, 2);
    add(to, z->time, 2);
    add(to, z->date, 2);
    add(to, e->checksum, 4);
    add(to, fit_32(e->size), 4);
    add(to, fit_32(e->size), 4);
    add(to, e->name_length, 2);
    add(to, extra, 2);
}

/* 4.3.7 */
static void add_header(const struct zip_writer *z, struct text *to, const struct entry *e)
{
    enum { FIXED = 30, BOTH_SIZES = 16 };
    const bool large = e->size >= NOT_HERE_32;
    const size_t zip64 = large ? EXTRA_HEAD + BOTH_SIZES : 0;
    const uint64_t end = e->offset + FIXED + e->name_length + zip64 + ALIGNMENT_LEAST;
    const size_t room = e->size >= ALIGNED_LEAST ? ALIGNMENT_LEAST + (STRATA_FILE_PAGE - end % STRATA_FILE_PAGE) % STRATA_FILE_PAGE : 0;
    add(to, 0x04034b50, 4);
    add_common(z, to, e, large ? VERSION_ZIP64 : VERSION, zip64 + room);
    strata_text_add_bytes(to, e->name, e->name_length);
    if (large) {
        add(to, EXTRA_ZIP64, 2);
        add(to, BOTH_SIZES, 2);
        add(to, e->size, 8);
        add(to, e->size, 8);
    }
    static const char zeroes[STRATA_FILE_PAGE];
    if (room == 0) return;
    add(to, EXTRA_ALIGNMENT, 2);
    add(to, room - EXTRA_HEAD, 2);
    add(to, STRATA_FILE_PAGE, 2);
    strata_text_add_bytes(to, zeroes, room - ALIGNMENT_LEAST);
}

/* 4.3.12 */
static void add_to_directory(struct zip_writer *z, const struct entry *e)
{
    struct text *to = &z->directory;
    const size_t sizes = e->size >= NOT_HERE_32 ? 16 : 0, offset = e->offset >= NOT_HERE_32 ? 8 : 0, extra = sizes + offset;
    const unsigned version = extra > 0 ? VERSION_ZIP64 : VERSION;
    add(to, 0x02014b50, 4);
    add(to, MADE_ON_UNIX | version, 2);
    add_common(z, to, e, version, extra > 0 ? EXTRA_HEAD + extra : 0);
    add(to, 0, 2); /* comment's length */
    add(to, 0, 2); /* disk */
    add(to, 0, 2); /* internal attributes */
    add(to, FILE_MODE, 4);
    add(to, fit_32(e->offset), 4);
    strata_text_add_bytes(to, e->name, e->name_length);
    if (extra > 0) {
        add(to, EXTRA_ZIP64, 2);
        add(to, extra, 2);
    }
    for (size_t i = 0; i < sizes; i += 8) add(to, e->size, 8);
    if (offset > 0) add(to, e->offset, 8);
    z->entries++;
}

/* 4.3.14 to 4.3.16 */
static void add_end(const struct zip_writer *z, struct text *to, uint64_t at, uint64_t size)
{
    if (z->entries >= NOT_HERE_16 || size >= NOT_HERE_32 || at >= NOT_HERE_32) {
        add(to, 0x06064b50, 4);
        add(to, 44, 8); /* what follows in this record */
        add(to, MADE_ON_UNIX | VERSION_ZIP64, 2);
        add(to, VERSION_ZIP64, 2);
        add(to, 0, 4); /* disk */
        add(to, 0, 4); /* disk of the directory */
        add(to, z->entries, 8);
        add(to, z->entries, 8);
        add(to, size, 8);
        add(to, at, 8);
        add(to, 0x07064b50, 4);
        add(to, 0, 4); /* disk */
        add(to, at + size, 8);
        add(to, 1, 4); /* disks */
    }
    add(to, 0x06054b50, 4);
    add(to, 0, 2); /* disk */
    add(to, 0, 2); /* disk of the directory */
    add(to, fit_16(z->entries), 2);
    add(to, fit_16(z->entries), 2);
    add(to, fit_32(size), 4);
    add(to, fit_32(at), 4);
    add(to, 0, 2); /* comment's length */
}

/* ---- writing ---- */

static bool write_bytes(struct zip_writer *z, const void *bytes, size_t size, strata_error *err)
{
    z->written += size;
    return size == 0 || strata_replacing_write(&z->replacing, bytes, size, err);
}

static bool write_text(struct zip_writer *z, struct text *text, strata_error *err)
{
    const size_t size = text->length;
    char *bytes = strata_text_take(text, err);
    const bool ok = bytes && write_bytes(z, bytes, size, err);
    free(bytes);
    return ok;
}

bool strata_zip_put_known(struct zip_writer *z, const char *name, const void *bytes, size_t size, uint32_t checksum, strata_error *err)
{
    const struct entry e = { name, strlen(name), size, z->written, checksum };
    struct text header = { 0 };
    if (e.name_length > MOST_NAME)
        return strata_fail(err, STRATA_EVALUE, "%s: an entry's name of %zu bytes; %d are the most", z->what, e.name_length, MOST_NAME);
    add_header(z, &header, &e);
    add_to_directory(z, &e);
    return write_text(z, &header, err) && write_bytes(z, bytes, size, err);
}

bool strata_zip_put(struct zip_writer *z, const char *name, const void *bytes, size_t size, strata_error *err)
{
    return strata_zip_put_known(z, name, bytes, size, strata_zip_checksum(0, bytes, size), err);
}

bool strata_zip_commit(struct zip_writer *z, strata_error *err)
{
    const uint64_t at = z->written, size = z->directory.length;
    struct text end = { 0 };
    add_end(z, &end, at, size);
    const bool ok = write_text(z, &z->directory, err) && write_text(z, &end, err) && strata_replacing_commit(&z->replacing, err);
    strata_text_free(&end);
    return ok;
}
