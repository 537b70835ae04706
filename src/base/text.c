#include "base/text.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void strata_text_add_bytes(struct text *text, const char *bytes, size_t length)
{
    strata_error err = { 0 };
    void *data = text->data;
    if (text->failed || !strata_reserve(&data, &text->room, text->length + length + 1, 1, &err)) {
        text->failed = true;
        return;
    }
    text->data = data;
    memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void strata_text_add(struct text *text, const char *format, ...)
{
    char small[512], *large = NULL;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(small, sizeof small, format, args);
    if (length >= (int)sizeof small) {
        large = malloc((size_t)length + 1);
        if (large)
            vsnprintf(large, (size_t)length + 1, format, again);
    }
    va_end(again);
    va_end(args);
    if (length < 0 || (length >= (int)sizeof small && !large))
        text->failed = true;
    else
        strata_text_add_bytes(text, large ? large : small, (size_t)length);
    free(large);
}

char *strata_text_take(struct text *text, strata_error *err)
{
    char *taken = NULL;
    if (text->failed)
        strata_fail(err, STRATA_EMEMORY, "out of memory while a text of %zu bytes was made", text->length);
    else
        taken = text->data ? text->data : strata_copy_text("", err);
    if (text->failed)
        free(text->data);
    *text = (struct text){ 0 };
    return taken;
}

void strata_text_free(struct text *text)
{
    free(text->data);
    *text = (struct text){ 0 };
}

/* Levenshtein distance of two short words; words over 63 bytes count as far from everything. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64];
    const size_t na = strlen(a), nb = strlen(b);
    if (na > 63 || nb > 63)
        return 64;
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[nb];
}

const char *strata_nearest(const char *word, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    const size_t length = strlen(word);
    size_t best = length < 64 ? length / 3 + 2 : 0;
    for (size_t i = 0; i < count; i++) {
        const size_t d = distance(word, names[i]);
        if (d < best) {
            best = d;
            nearest = names[i];
        }
    }
    return nearest;
}

bool strata_glob(const char *pattern, const char *text)
{
    return fnmatch(pattern, text, 0) == 0;
}

bool strata_parse_bytes(const char *text, size_t *bytes)
{
    static const struct {
        const char *name;
        double factor;
    } units[] = { { "", 1 },     { "B", 1 },    { "KiB", 0x1p10 }, { "MiB", 0x1p20 }, { "GiB", 0x1p30 },
                  { "TiB", 0x1p40 }, { "KB", 1e3 }, { "MB", 1e6 },     { "GB", 1e9 },     { "TB", 1e12 } };
    char *end = NULL;
    const double number = isdigit((unsigned char)text[0]) ? strtod(text, &end) : 0;
    for (size_t i = 0; end && i < sizeof units / sizeof *units; i++)
        if (strcmp(end + strspn(end, " "), units[i].name) == 0 && number * units[i].factor >= 1 && number * units[i].factor < 0x1p62) {
            *bytes = (size_t)(number * units[i].factor);
            return true;
        }
    return false;
}
