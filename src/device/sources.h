/* The kernels of cl/, embedded by the build (cmake/embed.cmake): cl/gemm.cl is the entry named "gemm", with its
 * #include lines resolved. The table ends in { 0 }. */
#ifndef STRATA_DEVICE_SOURCES_H
#define STRATA_DEVICE_SOURCES_H

struct strata_kernel_source {
    const char *name;
    const char *source;
};

extern const struct strata_kernel_source strata_kernel_sources[];

/* cl/builtins.h: the functions of OpenCL C that they call. */
extern const char strata_kernel_builtins[];

#endif
