#include "device/choose.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static const strata_device_info two_gpus_two_cpus[] = {
    { .index = 0, .platform = "Intel(R) OpenCL", .name = "Intel Xeon", .is_cpu = true, .compute_units = 8 },
    { .index = 1, .platform = "NVIDIA CUDA", .name = "NVIDIA A2", .is_gpu = true, .compute_units = 10 },
    { .index = 2, .platform = "NVIDIA CUDA", .name = "NVIDIA T4", .is_gpu = true, .compute_units = 40 },
    { .index = 3, .platform = "Portable Computing Language", .name = "pthread-Xeon", .is_cpu = true,
      .compute_units = 8 },
};

static struct choice choose(const char *devices, int rank, int size)
{
    strata_error err = { 0 };
    struct choice choice = { 0 };
    const struct device_request request = { .devices = devices, .local_rank = rank, .local_size = size };
    cr_assert(strata_device_choose(&request, two_gpus_two_cpus, 4, &choice, &err), "%s", err.message);
    return choice;
}

static const char *refusal(const char *devices, int rank, int size, size_t count)
{
    static strata_error err;
    struct choice choice = { 0 };
    const struct device_request request = { .devices = devices, .local_rank = rank, .local_size = size };
    cr_assert_not(strata_device_choose(&request, two_gpus_two_cpus + 1, count, &choice, &err));
    cr_assert_eq(err.code, STRATA_EDEVICE);
    return err.message;
}

static void expect(struct choice choice, int index, int part, int parts)
{
    cr_assert_eq(choice.index, index, "device %d, not %d", choice.index, index);
    cr_assert_eq(choice.part, part, "part %d, not %d", choice.part, part);
    cr_assert_eq(choice.parts, parts, "of %d, not %d", choice.parts, parts);
}

Test(choose, gives_gpus_before_cpus)
{
    expect(choose(NULL, 0, 2), 1, 0, 1);
    expect(choose("auto", 1, 2), 2, 0, 1);
}

Test(choose, lets_the_ranks_that_are_left_share_the_cores_whatever_the_platform)
{
    expect(choose("auto", 2, 3), 0, 0, 1);
    expect(choose("auto", 2, 5), 0, 0, 3);
    expect(choose("auto", 3, 5), 3, 1, 3);
    expect(choose("auto", 4, 5), 0, 2, 3);
}

Test(choose, takes_numbers_and_pieces_of_names_in_any_case)
{
    expect(choose("3, t4", 0, 2), 3, 0, 1);
    expect(choose("3, t4", 1, 2), 2, 0, 1);
    expect(choose("portable,portable,1", 1, 3), 3, 1, 2);
    expect(choose("1,1", 1, 2), 1, 0, 1);
}

Test(choose, splits_only_among_ranks_that_are_bound_alike)
{
    strata_error err = { 0 };
    struct choice choice = { 0 };
    const uint64_t bindings[] = { 7, 9, 7, 9 };
    struct device_request request = { .devices = "0,0,0,0", .local_rank = 2, .local_size = 4, .bindings = bindings };
    cr_assert(strata_device_choose(&request, two_gpus_two_cpus, 4, &choice, &err), "%s", err.message);
    expect(choice, 0, 1, 2);
}

Test(choose, says_who_asked_for_what_and_what_there_is)
{
    char node[256] = "";
    gethostname(node, sizeof node - 1);
    const char *message = refusal("0,7", 1, 2, 2);
    cr_assert_not_null(strstr(message, "rank 1 of 2 on "), "%s", message);
    cr_assert_not_null(strstr(message, node), "%s", message);
    cr_assert_not_null(strstr(message, "\"0,7\": there is no device 7"), "%s", message);
    cr_assert_not_null(strstr(message, "1 NVIDIA A2 (NVIDIA CUDA), 2 NVIDIA T4 (NVIDIA CUDA)"), "%s", message);
}

Test(choose, refuses_a_piece_that_fits_no_device_or_several)
{
    cr_assert_not_null(strstr(refusal("radeon", 0, 1, 3), "no device is called \"radeon\""));
    cr_assert_not_null(strstr(refusal("nvidia", 0, 1, 3), "\"nvidia\" is 2 devices"));
    cr_assert_not_null(strstr(refusal("", 0, 1, 3), "no device is called \"\""));
    cr_assert_not_null(strstr(refusal("0,", 1, 2, 3), "no device is called \"\""));
    cr_assert_not_null(strstr(refusal("99999999999999999999", 0, 1, 3), "no device 99999999999999999999"));
}

Test(choose, refuses_a_list_that_has_not_one_entry_a_rank)
{
    cr_assert_not_null(strstr(refusal("0,1", 0, 3, 3), "the list names 2 devices for 3 ranks"));
    cr_assert_not_null(strstr(refusal("0,1", 0, 1, 3), "the list names 2 devices for 1 rank on"));
}

Test(choose, refuses_more_ranks_than_devices_without_a_cpu)
{
    cr_assert_not_null(strstr(refusal(NULL, 2, 3, 2), "more ranks than devices and no CPU device"));
    cr_assert_not_null(strstr(refusal(NULL, 0, 1, 0), "no OpenCL device was found"));
}
