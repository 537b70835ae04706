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
#include "device/kernel_store.h"
#include "device/sources.h"

enum { MOST = 8 };

/* A kernel that is noted. */
struct wanted {
    struct request request;
    uint64_t program;    /* a hash of its file and options */
    size_t nth, length;  /* how many of the program were noted before it; characters of its file */
};

struct compilers {
    struct compilers_config config;
    pid_t processes[MOST]; /* 0: over */
    int requests[2], replies[2]; /* both ends of both stay open here, so that a write is never to a pipe without a reader */
    struct wanted *wanted; /* not compiled yet */
    size_t wanted_count, wanted_room;
    uint64_t all;   /* the sum of their hashes */
    uint64_t *seen; /* hashes of all that ever were noted */
    size_t seen_count, seen_room;
};

struct compilers *strata_compilers_create(const struct compilers_config *config)
{
    strata_error ignored = { 0 };
    struct compilers *c = config->program && config->count > 0 ? strata_alloc(1, sizeof *c, &ignored) : NULL;
    if (!c)
        return NULL;
    *c = (struct compilers){ .config = *config, .requests = { -1, -1 }, .replies = { -1, -1 } };
    c->config.count = config->count < MOST ? config->count : MOST;
    return c;
}

/* ---- processes ---- */

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
                 && posix_spawn(&process, c->config.program, &files, NULL, words, environ) == 0;
    posix_spawn_file_actions_destroy(&files);
    return ok ? process : 0;
}

static void start(struct compilers *c)
{
    if (pipe2(c->requests, O_CLOEXEC) != 0 || pipe2(c->replies, O_CLOEXEC) != 0)
        return;
    fcntl(c->requests[1], F_SETFL, O_NONBLOCK);
    for (int i = 0; i < c->config.count; i++)
        c->processes[i] = spawn(c);
}

/* How many processes there are, those taken leave of that are over. */
static int running(struct compilers *c)
{
    int count = 0;
    for (int i = 0; i < c->config.count; i++) {
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
    for (int i = 0; i < c->config.count; i++)
        if (c->processes[i])
            kill(c->processes[i], SIGKILL);
    for (int i = 0; i < TRIES && running(c) > 0; i++) nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    for (int i = 0; i < c->config.count; i++) c->processes[i] = 0;
    for (int i = 0; i < 2; i++) {
        if (c->requests[i] >= 0)
            close(c->requests[i]);
        if (c->replies[i] >= 0)
            close(c->replies[i]);
        c->requests[i] = c->replies[i] = -1;
    }
}

void strata_compilers_free(struct compilers *c)
{
    if (!c)
        return;
    free(c->wanted);
    free(c->seen);
    free(c);
}

/* ---- kernels ---- */

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
static bool is_new(struct compilers *c, uint64_t hash)
{
    strata_error ignored = { 0 };
    void *seen = c->seen;
    for (size_t i = 0; i < c->seen_count; i++)
        if (c->seen[i] == hash)
            return false;
    if (!strata_reserve(&seen, &c->seen_room, c->seen_count + 1, sizeof *c->seen, &ignored))
        return false;
    c->seen = seen;
    c->seen[c->seen_count++] = hash;
    return true;
}

static size_t length_of(const char *kernel)
{
    const size_t name = strcspn(kernel, ":");
    for (const struct strata_kernel_source *s = strata_kernel_sources; s->name; s++)
        if (strncmp(s->name, kernel, name) == 0 && s->name[name] == '\0')
            return strlen(s->source);
    return 0;
}

static void note(struct compilers *c, const struct request *r, bool small)
{
    strata_error ignored = { 0 };
    void *wanted = c->wanted;
    const uint64_t program = XXH3_64bits_withSeed(r->options, sizeof r->options, XXH3_64bits(r->kernel, strcspn(r->kernel, ":")));
    const uint64_t kernel = XXH3_64bits_withSeed(r->kernel, sizeof r->kernel, program + small);
    const uint64_t hash = XXH3_64bits_withSeed(r->local, sizeof r->local, kernel);
    if (!is_new(c, hash) || !strata_reserve(&wanted, &c->wanted_room, c->wanted_count + 1, sizeof *c->wanted, &ignored))
        return;
    c->wanted = wanted;
    struct wanted *new = &c->wanted[c->wanted_count];
    *new = (struct wanted){ .request = *r, .program = program, .length = length_of(r->kernel) };
    for (size_t i = 0; i < c->wanted_count; i++) new->nth += c->wanted[i].program == program;
    c->wanted_count++;
    c->all += hash;
}

void strata_compilers_ask(struct compilers *c, const struct launch *launch, const size_t global[3], const size_t local[3])
{
    enum { SMALL = 32768 }; /* PoCL tells ranges from 65535 on from others */
    struct request r = { .device = c->config.device, .dims = launch->dims };
    bool small = true;
    for (int d = 0; d < 3; d++) {
        r.global[d] = d < launch->dims ? global[d] : 1;
        r.local[d] = d < launch->dims ? local[d] : 1;
        small = small && r.global[d] < SMALL;
    }
    for (int d = 0; small && d < 3; d++)
        r.global[d] = r.local[d]; /* one group is enough */
    if (fill(&r, launch))
        note(c, &r, small);
}

void strata_compilers_forget(struct compilers *c)
{
    if (!c)
        return;
    c->wanted_count = 0;
    c->all = 0;
}

/* ---- what a start before had compiled ---- */

static struct store_key key_of(const struct compilers *c)
{
    return (struct store_key){ c->all, c->config.build };
}

bool strata_compilers_are_needed(const struct compilers *c)
{
    const struct store_key key = key_of(c);
    unsigned char *found = NULL;
    size_t size = 0;
    const bool there = strata_store_read(&key, &found, &size);
    free(found);
    return c->wanted_count > 0 && strata_store_has_place() && !there;
}

static void remember(const struct compilers *c)
{
    const struct store_key key = key_of(c);
    strata_store_write(&key, "", 1);
}

/* ---- compiling ---- */

/* Two of a program would build it twice, so they lie apart; what is long is not left to the end, where others have nothing to do. */
static int by_turn(const void *a, const void *b)
{
    const struct wanted *p = a, *q = b;
    if (p->nth != q->nth)
        return (p->nth > q->nth) - (p->nth < q->nth);
    if (p->length != q->length)
        return (p->length < q->length) - (p->length > q->length);
    return (p->program > q->program) - (p->program < q->program);
}

/* Which is the k-th: of each share, what is congruent to its number, our own from the front, then what the others have from the back,
 * where they come last. So what processes of a node have in common is compiled once, but for what two are at as they meet. */
static const struct wanted *turn(const struct compilers *c, size_t k)
{
    const size_t parts = (size_t)c->config.parts;
    for (size_t i = 0; i < parts; i++) {
        const size_t share = ((size_t)c->config.part + i) % parts;
        const size_t count = (c->wanted_count + parts - 1 - share) / parts;
        if (k < count)
            return &c->wanted[share + parts * (i == 0 ? k : count - 1 - k)];
        k -= count;
    }
    return NULL;
}

/* Writes as many requests as the pipe takes, of which `sent` were written before; how many there are now. */
static size_t send(const struct compilers *c, size_t sent)
{
    char place[REQUEST_SIZE] = { 0 };
    for (; sent < c->wanted_count; sent++) {
        memcpy(place, &turn(c, sent)->request, sizeof(struct request));
        if (write(c->requests[1], place, sizeof place) != (ssize_t)sizeof place)
            break;
    }
    return sent;
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
    size_t sent = 0, done = 0;
    if (c->wanted_count == 0)
        return;
    qsort(c->wanted, c->wanted_count, sizeof *c->wanted, by_turn);
    start(c);
    for (size_t more; done < c->wanted_count && strata_clock() - last < patience; done += more) {
        const int left = running(c);
        sent = send(c, sent);
        more = hear(c);
        if (more > 0)
            last = strata_clock();
        else if (left == 0 || (sent == c->wanted_count && sent - done <= (size_t)(c->config.count - left)))
            break; /* one that is over may have taken a kernel with it */
    }
    stop(c);
    if (done == c->wanted_count)
        remember(c);
    strata_compilers_forget(c);
}
