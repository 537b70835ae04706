/* Writes one element past a buffer, so that a test can see that oclgrind's reports fail tests. */
#include <CL/cl.h>
#include <stdlib.h>

enum { COUNT = 8 };

static const char *source = "kernel void fill(global float *x) { x[get_global_id(0)] = 1; }";

int main(void)
{
    cl_platform_id platform = NULL;
    cl_device_id device = NULL;
    if (clGetPlatformIDs(1, &platform, NULL) || clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL))
        return EXIT_FAILURE;

    cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, NULL);
    cl_command_queue queue = clCreateCommandQueue(context, device, 0, NULL);
    cl_program program = clCreateProgramWithSource(context, 1, &source, NULL, NULL);
    clBuildProgram(program, 1, &device, "", NULL, NULL);
    cl_kernel kernel = clCreateKernel(program, "fill", NULL);
    cl_mem buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, COUNT * sizeof(float), NULL, NULL);
    clSetKernelArg(kernel, 0, sizeof buffer, &buffer);

    const size_t items = COUNT + 1;
    int status = clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &items, NULL, 0, NULL, NULL);
    clFinish(queue);
    clReleaseMemObject(buffer);
    clReleaseKernel(kernel);
    clReleaseProgram(program);
    clReleaseCommandQueue(queue);
    clReleaseContext(context);
    return status == CL_SUCCESS ? EXIT_SUCCESS : EXIT_FAILURE;
}
