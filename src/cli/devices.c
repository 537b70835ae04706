/* strata devices: what OpenCL offers here, and what a rank would take. */
#include <stdlib.h>
#include <strata/device.h>

#include "cli/cli.h"
#include "cli/output.h"

/* With "auto" the first rank of a node takes the first device that is no CPU, else the first. */
static int automatic(const strata_device_info *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!list[i].is_cpu) return (int)i;
    return count > 0 ? 0 : -1;
}

static const char *class_name(const strata_device_info *d)
{
    return d->class_default == STRATA_CPU_CLASS ? "cpu" : "gpu";
}

static bool print_lines(const strata_device_info *list, size_t count, strata_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const strata_device_info *d = &list[i];
        json_t *line = json_pack(
            "{s:i, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:i, s:I, s:I, s:i, s:b, s:b, s:b}", "index", d->index,
            "platform", d->platform, "name", d->name, "vendor", d->vendor, "driver", d->driver, "class",
            class_name(d), "cpu", d->is_cpu, "gpu", d->is_gpu, "compute_units", d->compute_units, "memory",
            (json_int_t)d->memory, "max_allocation", (json_int_t)d->max_allocation, "vector_width",
            d->native_vector_width, "unified", d->unified, "half", d->half,
            "auto", (int)i == automatic(list, count));
        if (!strata_print_json(line, err)) return false;
    }
    return true;
}

static bool print_table(const strata_device_info *list, size_t count, strata_error *err)
{
    struct table table = { .columns = 9, .align = "lrllrrrll" };
    const char *const heads[] = {
        "", "#", "platform", "class", "cores", "memory", "largest", "name", "driver"
    };
    for (size_t j = 0; j < table.columns; j++) strata_table_add(&table, "%s", heads[j]);
    for (size_t i = 0; i < count; i++) {
        const strata_device_info *d = &list[i];
        char memory[STRATA_BYTES_TEXT], largest[STRATA_BYTES_TEXT];
        strata_table_add(&table, "%s", (int)i == automatic(list, count) ? "*" : "");
        strata_table_add(&table, "%d", d->index);
        strata_table_add(&table, "%s", d->platform);
        strata_table_add(&table, "%s", class_name(d));
        strata_table_add(&table, "%d", d->compute_units);
        strata_table_add(&table, "%s", strata_bytes_text((double)d->memory, memory));
        strata_table_add(&table, "%s", strata_bytes_text((double)d->max_allocation, largest));
        strata_table_add(&table, "%s", d->name);
        strata_table_add(&table, "%s", d->driver);
    }
    if (!strata_table_print(&table, err)) return false;
    strata_print(
        "\n* what the first rank of a node takes with --devices auto; --devices takes the numbers under #\n");
    return true;
}

static bool run(const struct command *c, strata_error *err)
{
    strata_device_info *list = NULL;
    size_t count = 0;
    if (!strata_devices(&list, &count, err)) return false;
    bool ok = true;
    if (count == 0)
        ok = strata_command_fail(err, STRATA_EDEVICE,
                                 "no OpenCL device was found; install a driver for one, such as "
                                 "Debian's pocl-opencl-icd for the CPU");
    else if (c->json)
        ok = print_lines(list, count, err);
    else
        ok = print_table(list, count, err);
    free(list);
    return ok;
}

extern const struct verb strata_verb_devices;
const struct verb strata_verb_devices = {
    .name = "devices",
    .usage = "",
    .summary = "every OpenCL device, and what a rank would take",
    .run = run,
};
