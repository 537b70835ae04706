#include "train/event_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/folders.h"
#include "base/text.h"

uint32_t strata_crc32c(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
    }
    return ~crc;
}

/* ---- bytes ------------------------------------------------------------------------------------------------------------ */

static void add_fixed(struct text *out, uint64_t value, int size)
{
    char bytes[8];
    for (int i = 0; i < size; i++) bytes[i] = (char)(value >> 8 * i & 0xFF);
    strata_text_add_bytes(out, bytes, (size_t)size);
}

static void add_varint(struct text *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) add_fixed(out, (value & 0x7F) | 0x80, 1);
    add_fixed(out, value, 1);
}

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static void add_key(struct text *out, int field, enum wire wire)
{
    add_varint(out, (uint64_t)field << 3 | (uint64_t)wire);
}

static void add_bytes(struct text *out, int field, const char *bytes, size_t size)
{
    add_key(out, field, WIRE_BYTES);
    add_varint(out, size);
    strata_text_add_bytes(out, bytes, size);
}

/* A message built in `part`, which is emptied. */
static void add_message(struct text *out, int field, struct text *part)
{
    out->failed = out->failed || part->failed;
    add_bytes(out, field, part->data ? part->data : "", part->length);
    strata_text_free(part);
}

static void add_head(struct text *event, double seconds, int64_t step)
{
    uint64_t bits;
    memcpy(&bits, &seconds, sizeof bits);
    add_key(event, 1, WIRE_64);
    add_fixed(event, bits, 8);
    if (step == 0) return; /* a zero is not written */
    add_key(event, 2, WIRE_VARINT);
    add_varint(event, (uint64_t)step);
}

/* ---- records ------------------------------------------------------------------------------------------------------------ */

static uint32_t masked(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

/* Appends the event as a record, and empties it. */
static bool append(const char *path, struct text *event, strata_error *err)
{
    struct text record = { 0 };
    const size_t size = event->length;
    add_fixed(&record, size, 8);
    if (record.data) add_fixed(&record, masked(strata_crc32c(record.data, 8)), 4);
    strata_text_add_bytes(&record, event->data ? event->data : "", size);
    add_fixed(&record, masked(strata_crc32c(event->data, size)), 4);
    const bool whole = !record.failed && !event->failed;
    FILE *file = whole && !strata_file_fault() ? fopen(path, "ab") : NULL;
    bool ok = file && fwrite(record.data, 1, record.length, file) == record.length;
    if (file) ok = fclose(file) == 0 && ok;
    strata_text_free(&record);
    strata_text_free(event);
    if (!whole) return strata_fail(err, STRATA_EMEMORY, "out of memory while an event was written");
    return ok || strata_fail_file(err, path, "cannot be written");
}

static void make_folders(const char *path)
{
    char *copy = strdup(path);
    if (copy) strata_make_parents(copy);
    if (copy) (void)mkdir(copy, 0777); /* what is wrong shows when the file is written */
    free(copy);
}

char *strata_event_file_create(const char *folder, double seconds, const char *host, strata_error *err)
{
    struct text text = { 0 }, event = { 0 };
    make_folders(folder);
    strata_text_add(&text, "%s/events.out.tfevents.%.0f.%s.strata", folder, seconds, host);
    char *path = strata_text_take(&text, err);
    if (!path) return NULL;
    add_head(&event, seconds, 0);
    add_bytes(&event, 3, "brain.Event:2", strlen("brain.Event:2"));
    if (append(path, &event, err)) return path;
    free(path);
    return NULL;
}

bool strata_event_file_add(const char *path, double seconds, int64_t step, const char *tag, float value,
                           strata_error *err)
{
    struct text event = { 0 }, summary = { 0 }, entry = { 0 };
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_bytes(&entry, 1, tag, strlen(tag));
    add_key(&entry, 2, WIRE_32);
    add_fixed(&entry, bits, 4);
    add_message(&summary, 1, &entry);
    add_head(&event, seconds, step);
    add_message(&event, 5, &summary);
    return append(path, &event, err);
}
