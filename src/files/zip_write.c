/* Writing zip archives. Entries are stored, so that what goes into the file lies in memory already and is copied nowhere.
 * Source: APPNOTE.TXT 6.3.10 of PKWARE; an archive of 4 GiB or more is one of its Zip64 (4.3.14, 4.5.3). */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"
#include "files/archive.h"
#include "files/checksum.h"
#include "files/zip.h"

#define MOST_32 0xffffffffU /* of a number of four bytes; stands for one that is in a wider field */
#define MOST_16 0xffffU

enum { VERSION = 20, VERSION_WIDE = 45, UNIX = 3, UTF8 = 1 << 11, WIDE_FIELD = 1, END_WIDE_REST = 44 };

struct entry {
    char *name; /* owned */
    const void *bytes;
    size_t size;
    uint32_t checksum;
    uint64_t at; /* where its header is */
};

struct new_archive {
    struct entry *entries;
    size_t count, room;
};

/* Where an archive goes, and how much of it went there. */
struct target {
    bool (*take)(void *context, const void *bytes, size_t size, strata_error *err);
    void *context;
    uint64_t sent;
};

struct new_archive *strata_zip_create(strata_error *err)
{
    return strata_alloc(1, sizeof(struct new_archive), err);
}

void strata_zip_free(struct new_archive *zip)
{
    if (!zip) return;
    for (size_t i = 0; i < zip->count; i++) free(zip->entries[i].name);
    free(zip->entries);
    free(zip);
}

bool strata_zip_put(struct new_archive *zip, const char *name, const void *bytes, size_t size, strata_error *err)
{
    void *entries = zip->entries;
    if (strlen(name) >= MOST_16) return strata_fail(err, STRATA_EVALUE, "%.80s..: a name is too long for a zip archive", name);
    if (!strata_reserve(&entries, &zip->room, zip->count + 1, sizeof *zip->entries, err)) return false;
    zip->entries = entries;
    struct entry *entry = &zip->entries[zip->count];
    *entry = (struct entry){ .name = strata_copy_text(name, err), .bytes = bytes, .size = size };
    zip->count += entry->name != NULL;
    return entry->name != NULL;
}

/* ---- headers --------------------------------------------------------------------------------------------------------- */

static void put(struct text *text, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        const char byte = (char)(number >> (8 * i) & 0xff);
        strata_text_add_bytes(text, &byte, 1);
    }
}

static bool send(struct target *target, const void *bytes, size_t size, strata_error *err)
{
    target->sent += size;
    return size == 0 || target->take(target->context, bytes, size, err);
}

static bool send_text(struct target *target, struct text *text, strata_error *err)
{
    const size_t size = text->length;
    char *bytes = strata_text_take(text, err);
    const bool ok = bytes && send(target, bytes, size, err);
    free(bytes);
    return ok;
}

static bool is_wide(const struct entry *entry)
{
    return entry->size >= MOST_32 || entry->at >= MOST_32;
}

static bool is_ascii(const char *text)
{
    while (*text && (unsigned char)*text < 0x80) text++;
    return *text == '\0';
}

/* What both headers of an entry have. `wide`: how many numbers of eight bytes are in its wider field. */
static void put_facts(struct text *text, const struct entry *entry, uint32_t when, unsigned wide)
{
    const uint64_t size = is_wide(entry) ? MOST_32 : entry->size;
    put(text, is_wide(entry) ? VERSION_WIDE : VERSION, 2);
    put(text, is_ascii(entry->name) ? 0 : UTF8, 2);
    put(text, 0, 2); /* stored */
    put(text, when, 4);
    put(text, entry->checksum, 4);
    put(text, size, 4);
    put(text, size, 4);
    put(text, strlen(entry->name), 2);
    put(text, is_wide(entry) ? 4 + 8 * wide : 0, 2);
}

static void put_wide(struct text *text, const struct entry *entry, unsigned wide)
{
    const uint64_t numbers[] = { entry->size, entry->size, entry->at };
    if (!is_wide(entry)) return;
    put(text, WIDE_FIELD, 2);
    put(text, 8 * wide, 2);
    for (unsigned i = 0; i < wide; i++) put(text, numbers[i], 8);
}

static bool send_entry(struct target *target, struct entry *entry, uint32_t when, strata_error *err)
{
    struct text header = { 0 };
    entry->at = target->sent;
    entry->checksum = strata_checksum(entry->bytes, entry->size);
    put(&header, 0x04034b50, 4);
    put_facts(&header, entry, when, 2);
    strata_text_add_bytes(&header, entry->name, strlen(entry->name));
    put_wide(&header, entry, 2);
    return send_text(target, &header, err) && send(target, entry->bytes, entry->size, err);
}

static bool send_listing(struct target *target, const struct entry *entry, uint32_t when, strata_error *err)
{
    struct text header = { 0 };
    put(&header, 0x02014b50, 4);
    put(&header, UNIX << 8 | VERSION_WIDE, 2);
    put_facts(&header, entry, when, 3);
    put(&header, 0, 6);                  /* no comment, one disk, nothing special */
    put(&header, 0100644U << 16, 4);     /* a file that all may read */
    put(&header, is_wide(entry) ? MOST_32 : entry->at, 4);
    strata_text_add_bytes(&header, entry->name, strlen(entry->name));
    put_wide(&header, entry, 3);
    return send_text(target, &header, err);
}

static bool send_end(struct target *target, size_t count, uint64_t listings, strata_error *err)
{
    struct text text = { 0 };
    const uint64_t end = target->sent, size = end - listings;
    const bool wide = count >= MOST_16 || end >= MOST_32;
    if (wide) {
        put(&text, 0x06064b50, 4);
        put(&text, END_WIDE_REST, 8);
        put(&text, UNIX << 8 | VERSION_WIDE, 2);
        put(&text, VERSION_WIDE, 2);
        put(&text, 0, 8); /* disks */
        put(&text, count, 8);
        put(&text, count, 8);
        put(&text, size, 8);
        put(&text, listings, 8);
        put(&text, 0x07064b50, 4);
        put(&text, 0, 4);
        put(&text, end, 8);
        put(&text, 1, 4);
    }
    put(&text, 0x06054b50, 4);
    put(&text, 0, 4); /* disks */
    put(&text, wide ? MOST_16 : count, 2);
    put(&text, wide ? MOST_16 : count, 2);
    put(&text, wide ? MOST_32 : size, 4);
    put(&text, wide ? MOST_32 : listings, 4);
    put(&text, 0, 2); /* no comment */
    return send_text(target, &text, err);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------- */

/* Date and time of MS-DOS, which begins with 1980. */
static uint32_t dos_now(void)
{
    const time_t now = time(NULL);
    struct tm t;
    if (!localtime_r(&now, &t) || t.tm_year < 80) return 1U << 21 | 1U << 16;
    return (uint32_t)(t.tm_year - 80) << 25 | (uint32_t)(t.tm_mon + 1) << 21 | (uint32_t)t.tm_mday << 16
           | (uint32_t)t.tm_hour << 11 | (uint32_t)t.tm_min << 5 | (uint32_t)t.tm_sec / 2;
}

bool strata_zip_send(struct new_archive *zip, bool (*take)(void *context, const void *bytes, size_t size, strata_error *err),
                     void *context, strata_error *err)
{
    struct target target = { take, context, 0 };
    const uint32_t when = dos_now();
    bool ok = true;
    for (size_t i = 0; ok && i < zip->count; i++) ok = send_entry(&target, &zip->entries[i], when, err);
    const uint64_t listings = target.sent;
    for (size_t i = 0; ok && i < zip->count; i++) ok = send_listing(&target, &zip->entries[i], when, err);
    return ok && send_end(&target, zip->count, listings, err);
}

static bool take_for_file(void *file, const void *bytes, size_t size, strata_error *err)
{
    return strata_replacing_write(file, bytes, size, err);
}

bool strata_zip_write(struct new_archive *zip, const char *path, strata_error *err)
{
    struct replacing file;
    if (!strata_replacing_begin(&file, path, err)) return false;
    if (strata_zip_send(zip, take_for_file, &file, err)) return strata_replacing_commit(&file, err);
    strata_replacing_cancel(&file);
    return false;
}
