/* The functions of OpenCL C that the kernels call, and nothing else. PoCL's compiler reads clang's header of all 15000 at
 * each program, which takes longer than most programs; where it can be told that it has read it, these lines stand in
 * (device/program_cache.c). They declare what the header declares, attributes included, so the code is the same, but for
 * vectors in memory. Source: clang's opencl-c.h. */
#define MATHS __attribute__((overloadable, const))
#define READS __attribute__((overloadable, pure))
#define WRITES __attribute__((overloadable))

size_t MATHS get_global_id(uint);
size_t MATHS get_group_id(uint);
size_t MATHS get_num_groups(uint);

#define OF_ONE(name, type) type MATHS name(type);
#define OF_FLOAT(name) OF_ONE(name, float) OF_ONE(name, float2) OF_ONE(name, float4) OF_ONE(name, float8) OF_ONE(name, float16)
OF_FLOAT(ceil)
OF_FLOAT(cos)
OF_FLOAT(erfc)
OF_FLOAT(exp)
OF_FLOAT(expm1)
OF_FLOAT(fabs)
OF_FLOAT(floor)
OF_FLOAT(log)
OF_FLOAT(log1p)
OF_FLOAT(log2)
OF_FLOAT(rint)
OF_FLOAT(round)
OF_FLOAT(rsqrt)
OF_FLOAT(sign)
OF_FLOAT(sin)
OF_FLOAT(sinpi)
OF_FLOAT(sqrt)
OF_FLOAT(tanh)

#define OF_TWO(name, type) type MATHS name(type, type);
#define OF_FLOATS(name) OF_TWO(name, float) OF_TWO(name, float2) OF_TWO(name, float4) OF_TWO(name, float8) OF_TWO(name, float16)
#define OF_ANY(name) OF_FLOATS(name) OF_TWO(name, int) OF_TWO(name, uint) OF_TWO(name, long) OF_TWO(name, ulong)
OF_FLOATS(fmax)
OF_FLOATS(fmin)
OF_FLOATS(pow)
OF_ANY(max)
OF_ANY(min)

#define OF_THREE(name, type) type MATHS name(type, type, type);
OF_THREE(clamp, float)
OF_THREE(clamp, int)
OF_THREE(clamp, uint)

/* Defined here, for PoCL's own write a float16 in four pieces. */
#define HERE static inline __attribute__((overloadable, always_inline))
#define MEMORY(type, n, where) \
    HERE type##n vload##n(size_t i, const where type *from) { return ((const where type##n##_anywhere *)from)[i]; } \
    HERE void vstore##n(type##n v, size_t i, where type *to) { ((where type##n##_anywhere *)to)[i] = v; }
#define MEMORIES(type, n) \
    typedef type##n type##n##_anywhere __attribute__((aligned(sizeof(type)))); \
    MEMORY(type, n, __global) MEMORY(type, n, __local) MEMORY(type, n, __private) \
    HERE type##n vload##n(size_t i, const __constant type *from) { return ((const __constant type##n##_anywhere *)from)[i]; }
#define OF_MEMORY(n) MEMORIES(float, n) MEMORIES(int, n) MEMORIES(uint, n) MEMORIES(uchar, n)
OF_MEMORY(2)
OF_MEMORY(4)
OF_MEMORY(8)
OF_MEMORY(16)
#define OF_HALF(where) \
    float READS vload_half(size_t, const where half *); \
    void WRITES vstore_half_rte(float, size_t, where half *);
OF_HALF(__global)
OF_HALF(__private)
int MATHS isfinite(float);
int MATHS isnan(float);
void WRITES prefetch(const __global float *, size_t);

#define OF_BYTES(n) int##n MATHS convert_int##n(uchar##n); uchar##n MATHS convert_uchar##n(int##n);
OF_BYTES(2)
OF_BYTES(4)
OF_BYTES(8)
OF_BYTES(16)
float8 MATHS convert_float8(uint8);
uint8 MATHS convert_uint8(ulong8);
ulong8 MATHS convert_ulong8(uint8);

#undef MATHS
#undef READS
#undef WRITES
#undef OF_ONE
#undef OF_FLOAT
#undef OF_TWO
#undef OF_FLOATS
#undef OF_ANY
#undef OF_THREE
#undef HERE
#undef MEMORY
#undef MEMORIES
#undef OF_MEMORY
#undef OF_HALF
#undef OF_BYTES
