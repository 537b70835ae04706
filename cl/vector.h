/* A work-item of the vectorised kernels takes VW neighbouring floats (-D VW=1, 2, 4, 8 or 16). */
#ifndef VW
#error "vector.h needs -D VW"
#endif

#if VW == 1
typedef float floatv;
typedef int intv;
#define LOADV(p) (*(p))
#define STOREV(v, p) (*(p) = (v))
#elif VW == 2
typedef float2 floatv;
typedef int2 intv;
#define LOADV(p) vload2(0, (p))
#define STOREV(v, p) vstore2((v), 0, (p))
#elif VW == 4
typedef float4 floatv;
typedef int4 intv;
#define LOADV(p) vload4(0, (p))
#define STOREV(v, p) vstore4((v), 0, (p))
#elif VW == 8
typedef float8 floatv;
typedef int8 intv;
#define LOADV(p) vload8(0, (p))
#define STOREV(v, p) vstore8((v), 0, (p))
#elif VW == 16
typedef float16 floatv;
typedef int16 intv;
#define LOADV(p) vload16(0, (p))
#define STOREV(v, p) vstore16((v), 0, (p))
#else
#error "VW must be 1, 2, 4, 8 or 16"
#endif
