#include "train/callback_monitor.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

const char *const strata_monitor_modes[] = { "auto", "min", "max", NULL };

bool strata_callback_log(const strata_progress *progress, const char *name, double *value)
{
    for (size_t i = 0; i < progress->count; i++)
        if (strcmp(progress->names[i], name) == 0) {
            *value = progress->values[i];
            return true;
        }
    return false;
}

static bool unknown(const struct callback_step *step, const char *name, strata_error *err)
{
    struct text list = { 0 };
    for (size_t i = 0; i < step->known_count; i++) strata_text_add(&list, "%s%s", i ? ", " : "", step->known[i]);
    strata_fail(err, STRATA_EJOB, "there is no \"%s\" among an epoch's numbers, which are %s", name,
                list.data ? list.data : "none");
    strata_text_free(&list);
    return false;
}

bool strata_monitor_value(const struct monitor *m, const struct callback_step *step, double *value, bool *there,
                          strata_error *err)
{
    *there = strata_callback_log(step->progress, m->name, value);
    if (*there) return true;
    for (size_t i = 0; i < step->known_count; i++)
        if (strcmp(step->known[i], m->name) == 0) return true;
    return unknown(step, m->name, err);
}

bool strata_monitor_better(const struct monitor *m, const struct callback_step *step, double value, double reference,
                           bool *better, strata_error *err)
{
    enum direction direction = step->direction(step, m->name);
    const double delta = fabs(m->min_delta);
    if (m->mode != MONITOR_AUTO) direction = m->mode == MONITOR_MAX ? DIRECTION_UP : DIRECTION_DOWN;
    if (direction == DIRECTION_UNKNOWN)
        return strata_fail(err, STRATA_EJOB, "whether %s is better high or low is not known; say so with mode", m->name);
    *better = isnan(reference) || (direction == DIRECTION_UP ? value - delta > reference : value + delta < reference);
    return true;
}

/* ---- paths with numbers in them -------------------------------------------------------------------------------------- */

/* One "{name:spec}", of which spec is digits, a point and digits, and d, f, g or e. */
static bool add_number(struct text *path, const char *name, const char *spec, const struct callback_step *step,
                       strata_error *err)
{
    char format[32];
    double value;
    const size_t length = strlen(spec);
    const bool is_epoch = strcmp(name, "epoch") == 0, is_batch = strcmp(name, "batch") == 0;
    const char kind = length ? spec[length - 1] : is_epoch || is_batch ? 'd' : 'g';
    const size_t digits = length && isalpha((unsigned char)spec[length - 1]) ? length - 1 : length;
    if (digits > 8 || strspn(spec, "0123456789.") < digits || !strchr("dfge", isalpha((unsigned char)kind) ? kind : 'g'))
        return strata_fail(err, STRATA_EJOB, "{%s:%s}: write a format such as {epoch:02d} or {val_loss:.4f}", name, spec);
    if (is_epoch || is_batch)
        value = (double)(is_epoch ? step->progress->epoch + 1 : step->progress->step);
    else if (!strata_callback_log(step->progress, name, &value))
        return unknown(step, name, err);
    if (kind == 'd') {
        snprintf(format, sizeof format, "%%%.*slld", (int)digits, spec);
        strata_text_add(path, format, (long long)value);
    } else {
        snprintf(format, sizeof format, "%%%.*s%c", (int)digits, spec, isalpha((unsigned char)kind) ? kind : 'g');
        strata_text_add(path, format, value);
    }
    return true;
}

/* From "{" up to its "}"; *at is moved behind it. */
static bool add_placeholder(struct text *path, const char **at, const struct callback_step *step, strata_error *err)
{
    char name[128], *colon;
    const char *end = strchr(*at, '}');
    const size_t length = end ? (size_t)(end - *at - 1) : sizeof name;
    if (length >= sizeof name) return strata_fail(err, STRATA_EJOB, "%s: \"{\" without \"}\"", *at);
    memcpy(name, *at + 1, length);
    name[length] = '\0';
    *at = end + 1;
    colon = strchr(name, ':');
    if (colon) *colon++ = '\0';
    return add_number(path, name, colon ? colon : "", step, err);
}

char *strata_callback_path(const char *pattern, const struct callback_step *step, strata_error *err)
{
    struct text path = { 0 };
    if (pattern[0] != '/' && step->folder) strata_text_add(&path, "%s/", step->folder);
    for (const char *at = pattern; *at;) {
        if (*at != '{') {
            strata_text_add_bytes(&path, at++, 1);
        } else if (!add_placeholder(&path, &at, step, err)) {
            strata_text_free(&path);
            return NULL;
        }
    }
    return strata_text_take(&path, err);
}
