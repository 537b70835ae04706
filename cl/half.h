/* Numbers kept as floats, halves (IEEE 754 binary16) or bfloat16 (a float's upper half); arithmetic is in floats. All loads and
 * stores of halves are OpenCL C 1.2 without cl_khr_fp16. Stores round to the nearest, ties to even, beyond the largest number to
 * infinity. The kinds are those of enum storage in src/base/policy.h. */
#ifndef STRATA_HALF_H
#define STRATA_HALF_H

float bfloat16_load(ulong i, global const ushort *p)
{
    return as_float((uint)p[i] << 16);
}

ushort bfloat16_of(float v)
{
    const uint bits = as_uint(v);
    return isnan(v) ? (ushort)(bits >> 16 | 0x40) : (ushort)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

void bfloat16_store(float v, ulong i, global ushort *p)
{
    p[i] = bfloat16_of(v);
}

float half_round(float v)
{
    ushort bits;
    vstore_half_rte(v, 0, (private half *)&bits);
    return vload_half(0, (private const half *)&bits);
}

float bfloat16_round(float v)
{
    return as_float((uint)bfloat16_of(v) << 16);
}

#define STORED_0 float
#define STORED_1 half
#define STORED_2 ushort
#define LOAD_0(i, p) ((p)[i])
#define LOAD_1(i, p) vload_half(i, p)
#define LOAD_2(i, p) bfloat16_load(i, p)
#define STORE_0(v, i, p) ((p)[i] = (v))
#define STORE_1(v, i, p) vstore_half_rte(v, i, p)
#define STORE_2(v, i, p) bfloat16_store(v, i, p)
#define ROUND_0(v) (v)
#define ROUND_1(v) half_round(v)
#define ROUND_2(v) bfloat16_round(v)
#define OF_KIND_(name, kind) name##_##kind
#define OF_KIND(name, kind) OF_KIND_(name, kind)

#endif
