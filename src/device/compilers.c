#define _GNU_SOURCE /* F_SETPIPE_SZ, posix_spawn_file_actions_addclosefrom_np */
#include "device/compilers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <strata/context.h> /* STRATA_COMPILER_WORD */
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/memory.h"
#include "device/compilers_priv.h"

enum { MOST = 8, PIPE_BYTES = 1 << 20 };

struct compilers {
    const char *program;
    int count, device;
    bool started;
    pid_t processes[MOST]; /* 0: over */
    int requests[2], replies[2]; /* both ends of both stay open here, so that a write is never to a pipe without a reader */
    size_t asked, done;
    uint64_t *seen; /* hashes of requests */
    size_t seen_count, seen_room;
};

struct compilers *strata_compilers_create(const char *program, int count, int device_index)
{
    strata_error ignored = { 0 };
    struct compilers *c = program && count > 0 ? strata_alloc(1, sizeof *c, &ignored) : NULL;
    if (c)
        *c = (struct compilers){ .program = program, .count = count < MOST ? count : MOST, .device = device_index,
                                 .requests = { -1, -1 }, .replies = { -1, -1 } };
    return c;
}

static pid_t spawn(const struct compilers *c)
{
    extern char **environ;
    char *const words[] = { "strata", STRATA_COMPILER_WORD, NULL };
    posix_spawn_file_actions_t files;
    pid_t process = 0;
    if (posix_spawn_file_actions_init(&files) != 0)
        return 0;
    const bool ok = posix_spawn_file_actions_adddup2(&files, c->requests[0], STDIN_FILENO) == 0
                 && posix_spawn_file_actions_adddup2(&files, c->replies[1], STDOUT_FILENO) == 0
                 && posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0
                 && posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1) == 0
                 && posix_spawn(&process, c->program, &files, NULL, words, environ) == 0;
    posix_spawn_file_actions_destroy(&files);
    return ok ? process : 0;
}

static void start(struct compilers *c)
{
    c->started = true;
    if (pipe2(c->requests, O_CLOEXEC) != 0 || pipe2(c->replies, O_CLOEXEC) != 0)
        return;
    fcntl(c->requests[1], F_SETPIPE_SZ, PIPE_BYTES); /* else there is room for fewer */
    fcntl(c->requests[1], F_SETFL, O_NONBLOCK);
    for (int i = 0; i < c->count; i++)
        c->processes[i] = spawn(c);
}

/* How many processes there are, those taken leave of that are over. */
static int running(struct compilers *c)
{
    int count = 0;
    for (int i = 0; i < c->count; i++) {
        if (c->processes[i] && waitpid(c->processes[i], NULL, WNOHANG) != 0)
            c->processes[i] = 0;
        count += c->processes[i] != 0;
    }
    return count;
}

/* One that its system does not end, such as while a disk does not answer, is left to it. */
static void stop(struct compilers *c)
{
    enum { TRIES = 200 }; /* of 5 ms */
    for (int i = 0; i < c->count; i++)
        if (c->processes[i])
            kill(c->processes[i], SIGKILL);
    for (int i = 0; i < TRIES && running(c) > 0; i++) nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    for (int i = 0; i < c->count; i++) c->processes[i] = 0;
    for (int i = 0; i < 2; i++) {
        if (c->requests[i] >= 0)
            close(c->requests[i]);
        if (c->replies[i] >= 0)
            close(c->replies[i]);
        c->requests[i] = c->replies[i] = -1;
    }
    c->started = false;
    c->asked = c->done = 0;
}

void strata_compilers_free(struct compilers *c)
{
    if (!c)
        return;
    stop(c);
    free(c->seen);
    free(c);
}

static bool put_text(char *to, size_t room, const char *text)
{
    const size_t length = strlen(text);
    if (length >= room)
        return false;
    memcpy(to, text, length + 1);
    return true;
}

/* false where the launch does not fit a request. */
static bool fill(struct request *r, const struct launch *launch)
{
    for (const struct arg *arg = launch->args; arg->type != ARG_END; arg++) {
        if (r->count == REQUEST_ARGS)
            return false;
        struct request_arg *to = &r->args[r->count];
        r->types[r->count++] = (uint8_t)arg->type;
        if (arg->type == ARG_PLACE || arg->type == ARG_BUFFER)
            *to = (struct request_arg){ arg->buffer ? strata_buffer_size(arg->buffer) : 0, arg->offset };
        else
            to->value = arg->ul;
    }
    return put_text(r->kernel, sizeof r->kernel, launch->kernel)
        && put_text(r->options, sizeof r->options, launch->options ? launch->options : "");
}

/* Whether it is new; a kernel is compiled for its groups, and for ranges that are small or not. */
static bool is_new(struct compilers *c, const struct request *r, bool small)
{
    strata_error ignored = { 0 };
    void *seen = c->seen;
    XXH64_hash_t hash = XXH3_64bits_withSeed(r->kernel, sizeof r->kernel, small);
    hash = XXH3_64bits_withSeed(r->options, sizeof r->options, hash);
    hash = XXH3_64bits_withSeed(r->local, sizeof r->local, hash);
    for (size_t i = 0; i < c->seen_count; i++)
        if (c->seen[i] == hash)
            return false;
    if (!strata_reserve(&seen, &c->seen_room, c->seen_count + 1, sizeof *c->seen, &ignored))
        return false;
    c->seen = seen;
    c->seen[c->seen_count++] = hash;
    return true;
}

void strata_compilers_ask(struct compilers *c, const struct launch *launch, const size_t global[3], const size_t local[3])
{
    enum { SMALL = 32768 }; /* PoCL tells ranges from 65535 on from others */
    char place[REQUEST_SIZE] = { 0 };
    struct request r = { .device = c->device, .dims = launch->dims };
    bool small = true;
    for (int d = 0; d < 3; d++) {
        r.global[d] = d < launch->dims ? global[d] : 1;
        r.local[d] = d < launch->dims ? local[d] : 1;
        small = small && r.global[d] < SMALL;
    }
    for (int d = 0; small && d < 3; d++)
        r.global[d] = r.local[d]; /* one group is enough */
    if (!fill(&r, launch) || !is_new(c, &r, small))
        return;
    if (!c->started)
        start(c);
    memcpy(place, &r, sizeof r);
    if (running(c) > 0 && write(c->requests[1], place, sizeof place) == (ssize_t)sizeof place)
        c->asked++;
}

/* Counts what was done within a moment. */
static size_t hear(const struct compilers *c)
{
    enum { MOMENT = 20 }; /* milliseconds */
    struct pollfd replies = { .fd = c->replies[0], .events = POLLIN };
    char done[256];
    const ssize_t got = poll(&replies, 1, MOMENT) == 1 ? read(c->replies[0], done, sizeof done) : 0;
    return got > 0 ? (size_t)got : 0;
}

void strata_compilers_wait(struct compilers *c, double patience)
{
    double last = strata_clock();
    for (size_t more; c->done < c->asked && strata_clock() - last < patience; c->done += more) {
        const int left = running(c);
        more = hear(c);
        if (more > 0)
            last = strata_clock();
        else if (left == 0 || c->asked - c->done <= (size_t)(c->count - left))
            break; /* one that is over may have taken a kernel with it */
    }
    stop(c);
}
