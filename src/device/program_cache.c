#include "device/program_cache.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/memory.h"
#include "base/text.h"
#include "device/device_priv.h"
#include "device/kernel_store.h"
#include "device/native.h"
#include "device/sources.h"

/* Part of every key, so that a change of how programs are built makes old entries invisible. */
static const char recipe[] = "strata-2";

/* Subnormal numbers are zero, as in TensorFlow: they would make a processor's arithmetic many times slower. */
static const char standard_options[] = "-cl-std=CL1.2 -cl-mad-enable -cl-denorms-are-zero -w";

/* Takes clang's header of all functions for read: its guard. */
static const char without_header[] = "-D_OPENCL_H_";

/* Giving out binaries may take as long as building, so a device spends at most this part of its life on it; what is not kept now
 * is kept by a later start. */
static const double keeping = 0.1;

/* Seconds of computing. The first program that PoCL compiles in a process takes one, as it reads its library of functions then; one
 * that is in its cache a tenth of this. */
static const double surely_compiled = 0.2;

struct program {
    char *file, *options;
    cl_program native;
    struct store_key key;
    bool built;   /* from source, and not kept by the driver */
    bool shortly; /* and without the header of all functions */
};

struct program_cache {
    pthread_mutex_t lock;
    struct program *items;
    size_t count, room;
    struct program_counts counts;
    double born; /* seconds */
};

struct program_cache *strata_programs_create(strata_error *err)
{
    struct program_cache *cache = strata_alloc(1, sizeof *cache, err);
    if (cache) {
        pthread_mutex_init(&cache->lock, NULL);
        cache->born = strata_clock();
    }
    return cache;
}

static void release(struct program *program)
{
    free(program->file);
    free(program->options);
    if (program->native)
        clReleaseProgram(program->native);
    *program = (struct program){ 0 };
}

static const char *source_of(const char *file)
{
    for (const struct strata_kernel_source *s = strata_kernel_sources; s->name; s++)
        if (strcmp(s->name, file) == 0)
            return s->source;
    return NULL;
}

static void hash_text(XXH3_state_t *state, const char *text)
{
    XXH3_128bits_update(state, text, strlen(text) + 1);
}

static void hash_info(XXH3_state_t *state, cl_device_id id, cl_platform_id platform)
{
    char text[1024] = "";
    clGetPlatformInfo(platform, CL_PLATFORM_VERSION, sizeof text - 1, text, NULL);
    hash_text(state, text);
    text[0] = '\0';
    clGetDeviceInfo(id, CL_DEVICE_VERSION, sizeof text - 1, text, NULL);
    hash_text(state, text);
}

static void hash_device(XXH3_state_t *state, const struct device *device)
{
    cl_platform_id platform = NULL;
    hash_text(state, recipe);
    hash_text(state, device->info.platform);
    hash_text(state, device->info.name);
    hash_text(state, device->info.vendor);
    hash_text(state, device->info.driver);
    clGetDeviceInfo(device->id, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL);
    hash_info(state, device->id, platform);
    XXH3_128bits_update(state, &device->units, sizeof device->units);
}

/* Everything that a binary depends on. */
static bool key_of(const struct device *device, const char *source, const char *options, struct store_key *key,
                   strata_error *err)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return strata_fail(err, STRATA_EMEMORY, "out of memory");
    XXH3_128bits_reset(state);
    hash_device(state, device);
    hash_text(state, options);
    hash_text(state, source);
    hash_text(state, strata_kernel_builtins);
    const XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    *key = (struct store_key){ hash.low64, hash.high64 };
    return true;
}

uint64_t strata_programs_build(const struct device *device)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return 0;
    XXH3_128bits_reset(state);
    hash_device(state, device);
    hash_text(state, standard_options);
    for (const struct strata_kernel_source *s = strata_kernel_sources; s->name; s++) hash_text(state, s->source);
    hash_text(state, strata_kernel_builtins);
    const XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    return hash.low64;
}

/* PoCL has files of its own, of what was compiled for the groups it was launched with. For a binary it would compile every kernel of
 * a program anew, for any group, and then not use that. */
static bool keeps_itself(const struct device *device)
{
    const char *wanted = strata_env("POCL_KERNEL_CACHE");
    return strata_device_is_pocl(&device->info) && (!wanted || wanted[0] == '1');
}

/* The program of a binary from the store; NULL when there is none that the driver takes. */
static cl_program load(const struct device *device, const struct store_key *key, const char *options)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    if (!strata_store_read(key, &bytes, &size))
        return NULL;
    const unsigned char *binary = bytes;
    cl_int got = CL_SUCCESS, status = CL_SUCCESS;
    cl_program program = clCreateProgramWithBinary(device->context, 1, &device->id, &size, &binary, &status, &got);
    free(bytes);
    if (program && (got != CL_SUCCESS || status != CL_SUCCESS
                    || clBuildProgram(program, 1, &device->id, options, NULL, NULL) != CL_SUCCESS)) {
        clReleaseProgram(program);
        program = NULL;
    }
    return program;
}

static bool report_build(const struct device *device, cl_program program, cl_int code, const char *file,
                         const char *options, strata_error *err)
{
    size_t size = 0;
    clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
    char *log = calloc(size + 1, 1);
    if (log)
        clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, size, log, NULL);
    strata_fail_native(err, STRATA_EDEVICE, code, "cl/%s.cl does not compile with \"%s\" on %s:\n%s", file, options,
                       device->text, log ? log : "");
    free(log);
    return false;
}

/* The program of the source's pieces; its build's code is in *built. */
static bool compile(const struct device *device, const char *file, cl_uint count, const char **pieces, const char *options,
                    cl_program *program, cl_int *built, strata_error *err)
{
    cl_int got = strata_opencl_fault(NULL) ? CL_OUT_OF_RESOURCES : CL_SUCCESS;
    if (got == CL_SUCCESS)
        *program = clCreateProgramWithSource(device->context, count, pieces, NULL, &got);
    if (got != CL_SUCCESS)
        return strata_fail_opencl(err, got, "cl/%s.cl cannot be compiled on %s", file, device->text);
    *built = clBuildProgram(*program, 1, &device->id, options, NULL, NULL);
    return true;
}

static void drop(cl_program *program)
{
    clReleaseProgram(*program);
    *program = NULL;
}

/* With cl/builtins.h in place of the header, where the compiler is one that reads the header. A version of it that wants
 * more than these lines is given the source alone. */
static bool build_shortly(const struct device *device, const char *file, const char *source, const char *options,
                          cl_program *program, strata_error *err)
{
    const char *pieces[] = { strata_kernel_builtins, source };
    cl_int built = CL_SUCCESS;
    struct text all = { 0 };
    *program = NULL;
    if (!strata_device_is_pocl(&device->info))
        return true;
    strata_text_add(&all, "%s %s", options, without_header);
    char *shortly = strata_text_take(&all, err);
    const bool ok = shortly && compile(device, file, 2, pieces, shortly, program, &built, err);
    free(shortly);
    if (ok && built != CL_SUCCESS)
        drop(program);
    return ok;
}

static bool build(const struct device *device, const char *file, const char *source, const char *options,
                  struct program *program, strata_error *err)
{
    cl_int built = CL_SUCCESS;
    if (!build_shortly(device, file, source, options, &program->native, err))
        return false;
    program->shortly = program->native != NULL;
    if (!program->native && !compile(device, file, 1, &source, options, &program->native, &built, err))
        return false;
    if (built == CL_SUCCESS)
        return true;
    report_build(device, program->native, built, file, options, err);
    drop(&program->native);
    return false;
}

/* A driver that gives no binary is built for anew at each start. */
static void keep(const struct program *program)
{
    size_t size = 0;
    if (clGetProgramInfo(program->native, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL) != CL_SUCCESS || size == 0)
        return;
    unsigned char *bytes = malloc(size);
    if (bytes && clGetProgramInfo(program->native, CL_PROGRAM_BINARIES, sizeof bytes, &bytes, NULL) == CL_SUCCESS)
        strata_store_write(&program->key, bytes, size);
    free(bytes);
}

static void keep_what_was_built(const struct program_cache *cache)
{
    const double begin = strata_clock(), end = begin + keeping * (begin - cache->born);
    for (size_t i = 0; i < cache->count && strata_store_has_place() && strata_clock() < end; i++)
        if (cache->items[i].built)
            keep(&cache->items[i]);
}

void strata_programs_free(struct program_cache *cache)
{
    if (!cache)
        return;
    keep_what_was_built(cache);
    for (size_t i = 0; i < cache->count; i++)
        release(&cache->items[i]);
    pthread_mutex_destroy(&cache->lock);
    free(cache->items);
    free(cache);
}

/* Of this thread. */
static double computing(void)
{
    struct timespec now = { 0 };
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool find_or_build(struct device *device, struct program *program, strata_error *err)
{
    const char *file = program->file, *options = program->options, *source = source_of(file);
    if (!source)
        return strata_fail(err, STRATA_EBUG, "there is no kernel file cl/%s.cl", file);
    if (!key_of(device, source, options, &program->key, err))
        return false;
    const bool elsewhere = keeps_itself(device);
    program->native = elsewhere ? NULL : load(device, &program->key, options);
    if (program->native) {
        device->programs->counts.loaded++;
        return true;
    }
    const double begin = computing();
    if (!build(device, file, source, options, program, err))
        return false;
    if (computing() - begin > surely_compiled)
        atomic_store(&device->compiling, true);
    program->built = !elsewhere;
    device->programs->counts.built++;
    device->programs->counts.shortly += program->shortly;
    return true;
}

/* With the lock held. */
static bool get(struct device *device, const char *file, const char *options, cl_program *program, strata_error *err)
{
    struct program_cache *cache = device->programs;
    for (size_t i = 0; i < cache->count; i++)
        if (strcmp(cache->items[i].file, file) == 0 && strcmp(cache->items[i].options, options) == 0) {
            *program = cache->items[i].native;
            return true;
        }

    void *items = cache->items;
    if (!strata_reserve(&items, &cache->room, cache->count + 1, sizeof *cache->items, err))
        return false;
    cache->items = items;
    struct program new = { .file = strata_copy_text(file, err), .options = strata_copy_text(options, err) };
    if (!new.file || !new.options || !find_or_build(device, &new, err)) {
        release(&new);
        return false;
    }
    cache->items[cache->count++] = new;
    *program = new.native;
    return true;
}

bool strata_kernel_create(struct device *device, const char *name, const char *options, cl_kernel *kernel,
                          strata_error *err)
{
    const char *colon = strchr(name, ':');
    if (!colon)
        return strata_fail(err, STRATA_EBUG, "%s: a kernel is named \"file:function\"", name);
    struct text all = { 0 };
    strata_text_add(&all, "%s%s%s", standard_options, options && options[0] ? " " : "", options ? options : "");
    char *file = strata_copy_bytes(name, (size_t)(colon - name), err), *whole = strata_text_take(&all, err);
    cl_program program = NULL;
    bool ok = false;
    if (file && whole) {
        atomic_fetch_add(&device->building, 1);
        pthread_mutex_lock(&device->programs->lock);
        ok = get(device, file, whole, &program, err);
        pthread_mutex_unlock(&device->programs->lock);
        atomic_fetch_sub(&device->building, 1);
    }
    if (ok) {
        cl_int got = strata_opencl_fault(NULL) ? CL_OUT_OF_RESOURCES : CL_SUCCESS;
        if (got == CL_SUCCESS)
            *kernel = clCreateKernel(program, colon + 1, &got);
        ok = got == CL_SUCCESS || strata_fail_opencl(err, got, "cl/%s.cl has no kernel %s", file, colon + 1);
    }
    free(file);
    free(whole);
    return ok;
}

struct program_counts strata_program_counts(const struct device *device)
{
    pthread_mutex_lock(&device->programs->lock);
    const struct program_counts counts = device->programs->counts;
    pthread_mutex_unlock(&device->programs->lock);
    return counts;
}
