/* run-golden FOLDER|FILE... [--device-class gpu|cpu] [--only GLOB]: runs every case under the folders against what real
 * Keras computed. Prints a line for each failure and last "N passed, N failed"; fails when any failed or none ran. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "device/device.h"
#include "runner.h"

static const struct case_kind *const kinds[] = { &golden_layers, &golden_training, &golden_summary,
                                                 &golden_files };

/* ---- finding the files ---- */

static char **paths;
static size_t path_count, path_room;

static void add_path(const char *path)
{
    if (path_count == path_room) {
        path_room = path_room ? 2 * path_room : 64;
        paths = realloc(paths, path_room * sizeof *paths);
        if (!paths) abort();
    }
    paths[path_count++] = strdup(path);
}

static int visit(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)place;
    if (type == FTW_F) add_path(path);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- running them ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The pattern is tried with and without the suffix. */
static bool is_wanted(const char *path, const char *only)
{
    char stem[256];
    if (!only) return true;
    snprintf(stem, sizeof stem, "%s", base_name(path));
    if (strata_glob(only, stem)) return true;
    char *dot = strrchr(stem, '.');
    if (dot) *dot = '\0';
    return strata_glob(only, stem);
}

static const struct case_kind *kind_of(const char *path)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i]->matches(path)) return kinds[i];
    return NULL;
}

/* A message may have several lines, such as a compiler's. */
static char *on_one_line(char *message)
{
    for (char *at = message; *at; at++)
        if (*at == '\n') *at = ' ';
    return message;
}

static int run_all(struct runner *runner, const char *only)
{
    int passed = 0, failed = 0;
    for (size_t i = 0; i < path_count; i++) {
        char message[2400] = "";
        const struct case_kind *kind = is_wanted(paths[i], only) ? kind_of(paths[i]) : NULL;
        if (!kind) continue;
        if (kind->run(runner, paths[i], message, sizeof message)) {
            passed++;
        } else {
            failed++;
            printf("FAILED %s: %s\n", paths[i], on_one_line(message));
        }
        fflush(stdout);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0 || passed == 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: run-golden FOLDER|FILE... [--device-class gpu|cpu] [--only GLOB]\n");
    return 64;
}

int main(int argc, char **argv)
{
    struct device_request request = { .local_size = 1, .class = -1 };
    const char *only = NULL;
    for (int i = 1; i < argc; i++) {
        const bool class = strcmp(argv[i], "--device-class") == 0, glob = strcmp(argv[i], "--only") == 0;
        if ((class || glob) && ++i == argc) return usage();
        if (glob)
            only = argv[i];
        else if (class && strcmp(argv[i], "gpu") != 0 && strcmp(argv[i], "cpu") != 0)
            return usage();
        else if (class)
            request.class = strcmp(argv[i], "gpu") == 0 ? STRATA_GPU_CLASS : STRATA_CPU_CLASS;
        else if (argv[i][0] == '-' || nftw(argv[i], visit, 16, FTW_PHYS) != 0)
            return usage();
    }
    strata_error err = { 0 };
    struct runner runner = { .device = strata_device_open(&request, &err) };
    if (!runner.device) {
        fprintf(stderr, "error: %s\n", err.message);
        return strata_exit_code(err.code);
    }
    qsort(paths, path_count, sizeof *paths, by_name);
    const int result = run_all(&runner, only);
    golden_context_free();
    strata_device_close(runner.device);
    for (size_t i = 0; i < path_count; i++) free(paths[i]);
    free(paths);
    return result;
}
