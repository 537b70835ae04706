/* TensorBoard: the epochs' numbers as event files, training's in LOG_DIR/train and validation's in LOG_DIR/validation,
 * under Keras's tags ("epoch_loss"). Source: keras/src/callbacks/tensorboard.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "train/callback_list.h"
#include "train/event_file.h"

struct config {
    char *log_dir;
};

enum { TRAIN, VALIDATION, FILES };

struct state {
    char *path[FILES]; /* made when the first number comes */
};

static const struct field fields[] = {
    { "log_dir", FIELD_STRING, offsetof(struct config, log_dir), .text = "logs" },
    { 0 },
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static bool make_file(const struct config *c, struct state *s, int which, const struct callback_step *step,
                      strata_error *err)
{
    char host[256] = "host";
    struct text text = { 0 };
    char *dir = strata_callback_path(c->log_dir, step, err);
    if (!dir) return false;
    (void)gethostname(host, sizeof host - 1);
    strata_text_add(&text, "%s/%s", dir, which == TRAIN ? "train" : "validation");
    char *folder = strata_text_take(&text, err);
    s->path[which] = folder ? strata_event_file_create(folder, now(), host, err) : NULL;
    free(folder);
    free(dir);
    return s->path[which] != NULL;
}

static bool add(const struct config *c, struct state *s, const struct callback_step *step, const char *name,
                double value, strata_error *err)
{
    char tag[320];
    const bool validation = strncmp(name, "val_", 4) == 0;
    const int which = validation ? VALIDATION : TRAIN;
    snprintf(tag, sizeof tag, "epoch_%s", validation ? name + 4 : name);
    return (s->path[which] || make_file(c, s, which, step, err))
           && strata_event_file_add(s->path[which], now(), (int64_t)step->progress->epoch, tag, (float)value, err);
}

static bool epoch_end(const void *config, void *memory, struct callback_step *step, strata_error *err)
{
    const strata_progress *p = step->progress;
    bool ok = true;
    if (!step->writes) return true;
    for (size_t i = 0; ok && i < p->count; i++)
        if (strcmp(p->names[i], "learning_rate") != 0) ok = add(config, memory, step, p->names[i], p->values[i], err);
    return ok && add(config, memory, step, "learning_rate", step->learning_rate, err);
}

static void release(void *memory)
{
    struct state *s = memory;
    for (int i = 0; i < FILES; i++) free(s->path[i]);
}

const struct callback_class strata_callback_tensorboard = {
    .class = { .name = "TensorBoard", .config_size = sizeof(struct config), .fields = fields,
               .help = "writes event files that TensorBoard shows" },
    .state_size = sizeof(struct state), .epoch_end = epoch_end, .release = release,
};
