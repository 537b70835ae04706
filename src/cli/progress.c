#include "cli/progress.h"

#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strata/context.h>
#include <unistd.h>

#include "cli/output.h"

struct progress strata_progress_start(const struct command *c)
{
    struct progress p = { .command = c, .form = c->progress };
    if (p.form == PROGRESS_AUTO)
        p.form = c->json || c->quiet ? PROGRESS_NONE : isatty(STDERR_FILENO) ? PROGRESS_BAR : PROGRESS_LINE;
    if (strata_launch_rank() != 0) p.form = PROGRESS_NONE;
    p.fancy = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    return p;
}

/* "accuracy: 0.8912 - loss: 0.3011", with Keras's digits. */
static void print_logs(const strata_progress *now)
{
    for (size_t i = 0; i < now->count; i++) {
        const double v = now->values[i];
        fprintf(stderr, fabs(v) > 1e-3 || v == 0 ? " - %s: %.4f" : " - %s: %.4e", now->names[i], v);
    }
}

/* Keras's "12s", "1:05" and "2:10:00" for times, "10ms" and "1s" for steps. */
static void print_clock(double seconds)
{
    const long s = (long)(seconds + 0.5);
    if (s >= 3600)
        fprintf(stderr, "%ld:%02ld:%02ld", s / 3600, s % 3600 / 60, s % 60);
    else if (s >= 60)
        fprintf(stderr, "%ld:%02ld", s / 60, s % 60);
    else
        fprintf(stderr, "%lds", s);
}

static void print_step_time(double seconds)
{
    if (seconds >= 1)
        fprintf(stderr, " %.0fs/step", seconds);
    else if (seconds >= 1e-3)
        fprintf(stderr, " %.0fms/step", 1e3 * seconds);
    else
        fprintf(stderr, " %.0fus/step", 1e6 * seconds);
}

static void print_bar(const struct progress *p, const strata_progress *now)
{
    enum { WIDTH = 20 };
    const size_t done = now->steps > 0 ? WIDTH * now->step / now->steps : 0;
    char steps[32];
    const int digits = snprintf(steps, sizeof steps, "%zu", now->steps);
    fprintf(stderr, "\r%*zu/%zu ", digits, now->step, now->steps);
    for (size_t i = 0; i < WIDTH; i++)
        fputs(p->fancy ? (i < done ? "\033[32m━\033[0m" : "\033[37m━\033[0m") : (i < done ? "=" : "."),
              stderr);
    fputc(' ', stderr);
    const double a_step = now->step > 0 ? now->seconds / (double)now->step : 0;
    print_clock(now->epoch_end ? now->seconds : a_step * (double)(now->steps - now->step));
    print_step_time(a_step);
    print_logs(now);
    fputs(now->epoch_end ? "\033[K\n" : "\033[K", stderr);
    fflush(stderr);
}

static void print_line(const strata_progress *now)
{
    const double a_step = now->step > 0 ? now->seconds / (double)now->step : 0;
    fprintf(stderr, "Epoch %zu/%zu - %zu/%zu - ", now->epoch + 1, now->epochs, now->step, now->steps);
    print_clock(now->seconds);
    fputs(" -", stderr);
    print_step_time(a_step);
    print_logs(now);
    fputc('\n', stderr);
    fflush(stderr);
}

static bool print_event(const struct progress *p, const strata_progress *now)
{
    strata_error err = { 0 };
    json_t *event = json_pack("{s:s, s:I, s:I}", "event", "epoch", "epoch", (json_int_t)(now->epoch + 1),
                              "steps", (json_int_t)now->step);
    for (size_t i = 0; event && i < now->count; i++)
        json_object_set_new(event, now->names[i],
                            strata_json_number(now->values[i]));
    const double seconds = p->train_seconds > 0 ? p->train_seconds : now->seconds;
    if (event) {
        json_object_set_new(event, "seconds", json_real(now->seconds));
        json_object_set_new(event, "samples_per_second",
                            json_real(seconds > 0 ? (double)now->samples / seconds : 0));
    }
    return strata_print_json(event, &err);
}

static void end_epoch(struct progress *p, const strata_progress *now)
{
    p->epochs_done++;
    p->samples_done += now->samples;
    p->seconds_done += now->seconds;
    p->headed = false;
    if (p->command->json && !print_event(p, now)) p->failed = true;
    if (p->form == PROGRESS_LINE) print_line(now);
    p->train_seconds = 0;
}

bool strata_progress_show(void *context, const strata_progress *now)
{
    struct progress *p = context;
    if (p->form == PROGRESS_BAR && !p->headed) {
        fprintf(stderr, "Epoch %zu/%zu\n", now->epoch + 1, now->epochs);
        p->headed = true;
    }
    if (!now->epoch_end && now->step == now->steps) p->train_seconds = now->seconds;
    if (p->form == PROGRESS_BAR) print_bar(p, now);
    if (now->epoch_end) end_epoch(p, now);
    return !p->failed;
}
