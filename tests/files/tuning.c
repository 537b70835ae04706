/* tuning.json: what is written is read, by devices of the same type alone; what is damaged is not believed. */
#include "files/tuning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

static struct device *open_as(strata_device_class class)
{
    strata_error err = { 0 };
    const struct device_request request = { .local_size = 1, .class = (int)class };
    struct device *device = strata_device_open(&request, &err);
    cr_assert_not_null(device, "%s", err.message);
    return device;
}

/* A cache folder two levels below a folder of the test's own, in which it works from now on. */
static void use_fresh_cache(void)
{
    char own[] = "tuning-XXXXXX", folder[4096];
    cr_assert(mkdtemp(own) && chdir(own) == 0 && getcwd(folder, sizeof folder - 32));
    strcat(folder, "/some/cache");
    setenv("STRATA_CACHE_DIR", folder, 1);
}

static void put(const struct device *device, const char *choices)
{
    strata_error err = { 0 };
    char *path = NULL;
    json_t *json = json_loads(choices, 0, NULL);
    cr_assert_not_null(json);
    cr_assert(strata_tuning_write(device, json, &path, &err), "%s", err.message);
    cr_assert(path && strstr(path, "some/cache/tuning.json"));
    free(path);
    json_decref(json);
}

static void expect(const struct device *device, const char *choices)
{
    char *warning = NULL;
    json_t *json = strata_tuning_read(device, &warning), *wanted = choices ? json_loads(choices, 0, NULL) : NULL;
    cr_assert_null(warning, "%s", warning);
    cr_assert(choices ? json_equal(json, wanted) : !json);
    json_decref(json);
    json_decref(wanted);
}

static void leave(const char *content)
{
    FILE *file = fopen("some/cache/tuning.json", "w");
    cr_assert(file && fputs(content, file) >= 0 && fclose(file) == 0);
}

static void expect_warning(const struct device *device, const char *word)
{
    char *warning = NULL;
    cr_assert_null(strata_tuning_read(device, &warning));
    cr_assert(warning && strstr(warning, word) && strstr(warning, "tuning.json") && strstr(warning, "ignored"), "%s: %s", word,
              warning ? warning : "no warning");
    free(warning);
}

Test(tuning, is_kept_by_type_of_device)
{
    struct device *cpu = open_as(STRATA_CPU_CLASS), *gpu = open_as(STRATA_GPU_CLASS);
    use_fresh_cache();
    expect(cpu, NULL);
    put(cpu, "{\"ops\": {\"a\": \"one\", \"b\": \"one\"}}");
    expect(cpu, "{\"ops\": {\"a\": \"one\", \"b\": \"one\"}}");
    expect(gpu, NULL);
    put(gpu, "{\"ops\": {}, \"clblast\": {\"Xgemm\": {\"MWG\": 32}}}");
    put(cpu, "{\"ops\": {\"b\": \"two\", \"c\": \"three\"}}");
    expect(cpu, "{\"ops\": {\"a\": \"one\", \"b\": \"two\", \"c\": \"three\"}}");
    expect(gpu, "{\"ops\": {}, \"clblast\": {\"Xgemm\": {\"MWG\": 32}}}");
    put(gpu, "{\"ops\": {}, \"clblast\": null}");
    expect(gpu, "{\"ops\": {}}");
    cr_assert_neq(strata_tuning_type(cpu), strata_tuning_type(gpu));
    strata_device_close(cpu);
    strata_device_close(gpu);
}

Test(tuning, that_is_foreign_or_old_is_named_and_replaced)
{
    struct device *device = open_as(STRATA_CPU_CLASS);
    use_fresh_cache();
    put(device, "{\"ops\": {\"a\": \"one\"}}");
    leave("");
    expect_warning(device, "tuning.json");
    leave("{\"strata_tuning\": 1, \"devices\"");
    expect_warning(device, "tuning.json");
    leave("[1, 2]");
    expect_warning(device, "no tuning file");
    leave("{\"devices\": []}");
    expect_warning(device, "no tuning file");
    leave("{\"strata_tuning\": 0, \"checksum\": \"\", \"devices\": []}");
    expect_warning(device, "another version");
    leave("{\"strata_tuning\": 1, \"checksum\": \"0123456789abcdef\", \"devices\": []}");
    expect_warning(device, "damaged");
    put(device, "{\"ops\": {\"b\": \"two\"}}");
    expect(device, "{\"ops\": {\"b\": \"two\"}}");
    strata_device_close(device);
}

/* Every byte in turn: what still is believed holds what was written. */
Test(tuning, that_is_damaged_is_not_believed)
{
    struct device *device = open_as(STRATA_CPU_CLASS);
    use_fresh_cache();
    put(device, "{\"ops\": {\"gemm 9x7x5\": \"clblast\"}, \"clblast\": {\"Xgemm\": {\"MWG\": 32}}}");
    char whole[4096];
    FILE *written = fopen("some/cache/tuning.json", "rb");
    cr_assert_not_null(written);
    const size_t size = fread(whole, 1, sizeof whole, written);
    fclose(written);
    json_t *wanted = json_loads("{\"ops\": {\"gemm 9x7x5\": \"clblast\"}, \"clblast\": {\"Xgemm\": {\"MWG\": 32}}}", 0, NULL);
    size_t refused = 0;
    for (size_t at = 0; at < size; at++) {
        char *warning = NULL;
        whole[at] ^= 1;
        FILE *file = fopen("some/cache/tuning.json", "wb");
        cr_assert_eq(fwrite(whole, 1, size, file), size);
        fclose(file);
        whole[at] ^= 1;
        json_t *json = strata_tuning_read(device, &warning);
        cr_assert(!json || json_equal(json, wanted), "byte %zu", at);
        cr_assert(json || warning, "byte %zu: no word of it", at);
        refused += json == NULL;
        json_decref(json);
        free(warning);
    }
    cr_assert_gt(refused, size / 2, "only blanks may change");
    json_decref(wanted);
    strata_device_close(device);
}
