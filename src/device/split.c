/* PoCL's sub-devices hand their commands to as many of the worker threads as they have units; which cores those
 * threads run on is decided by pinning the process. Runtimes that pin their threads themselves go by the position of
 * the sub-device, so a part is cut out at its own place. */
#include "device/split.h"

#include "device/native.h"

static bool can(cl_device_id whole, cl_device_partition_property how)
{
    cl_device_partition_property ways[16] = { 0 };
    size_t size = 0;
    if (clGetDeviceInfo(whole, CL_DEVICE_PARTITION_PROPERTIES, sizeof ways, ways, &size) != CL_SUCCESS)
        return false;
    for (size_t i = 0; i < size / sizeof *ways; i++)
        if (ways[i] == how)
            return true;
    return false;
}

/* Keeps sub-device `keep` of those that `how` makes. */
static bool cut(cl_device_id whole, const cl_device_partition_property *how, cl_uint keep, cl_device_id *part,
                strata_error *err)
{
    enum { MOST = 1024 };
    cl_device_id parts[MOST];
    cl_uint count = 0;
    cl_int got = clCreateSubDevices(whole, how, 0, NULL, &count);
    if (got == CL_SUCCESS && count > MOST)
        got = CL_DEVICE_PARTITION_FAILED;
    if (got == CL_SUCCESS)
        got = clCreateSubDevices(whole, how, count, parts, NULL);
    if (got != CL_SUCCESS)
        return strata_fail_opencl(err, got, "the CPU device cannot be split among the ranks of the node");
    keep = keep < count ? keep : 0;
    for (cl_uint i = 0; i < count; i++)
        if (i != keep)
            clReleaseDevice(parts[i]);
    *part = parts[keep];
    return true;
}

bool strata_device_split(cl_device_id whole, int units, const struct cores *cores, cl_device_id *part,
                         strata_error *err)
{
    *part = whole;
    if (cores->count >= units)
        return true;
    if (can(whole, CL_DEVICE_PARTITION_BY_COUNTS)) {
        const bool placed = cores->first >= 0 && cores->machine == units;
        const int before = placed ? cores->first : 0, after = units - before - cores->count;
        cl_device_partition_property how[6] = { CL_DEVICE_PARTITION_BY_COUNTS };
        int at = 1;
        if (before > 0)
            how[at++] = before;
        how[at++] = cores->count;
        if (after > 0)
            how[at++] = after;
        how[at] = CL_DEVICE_PARTITION_BY_COUNTS_LIST_END;
        return cut(whole, how, before > 0, part, err);
    }
    if (can(whole, CL_DEVICE_PARTITION_EQUALLY)) {
        const cl_device_partition_property how[] = { CL_DEVICE_PARTITION_EQUALLY, cores->count, 0 };
        return cut(whole, how, 0, part, err);
    }
    return true;
}
