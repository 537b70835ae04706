/* Winograd's transforms for F(M x M, 3 x 3), of vectors: a tile of M x M outputs is computed from SIDE x SIDE inputs with a
 * product for each of SIDE * SIDE points instead of 9 for each output.
 *
 *   y = At [(G g Gt) . (Bt d B)] A       (Lavin and Gray 2015)
 *
 * M = 2 has the points 0, 1, -1 and infinity; M = 4 has 0, +-P, +-Q and infinity with P * Q = 1, P^2 = 1/2: these round less
 * than the usual 1 and 2. The gradients are the transposed transforms.
 *   -D M   2 or 4 */
#include "tile.h"

#if !defined(M)
#error "-D M is needed"
#endif

#define SIDE (M + 2)
#define POINTS (SIDE * SIDE)

#if M == 4
#define P 0.70710678118654752f
#define Q 1.41421356237309505f
#define P2 0.5f
#define Q2 2.0f
#define P3 0.35355339059327376f
#define Q3 2.82842712474619010f
/* 1 / (2 P^2 (P^2 - Q^2)) and 1 / (2 Q^2 (Q^2 - P^2)) */
#define NP (-0.66666666666666667f)
#define NQ 0.16666666666666667f

/* Bt d */
static inline void of_data(const floatv d[SIDE], floatv v[SIDE])
{
    const floatv even_p = d[4] - Q2 * d[2], odd_p = P * (d[3] - Q2 * d[1]);
    const floatv even_q = d[4] - P2 * d[2], odd_q = Q * (d[3] - P2 * d[1]);
    v[0] = d[0] + d[4] - 2.5f * d[2];
    v[1] = even_p + odd_p;
    v[2] = even_p - odd_p;
    v[3] = even_q + odd_q;
    v[4] = even_q - odd_q;
    v[5] = d[1] + d[5] - 2.5f * d[3];
}

/* At m */
static inline void to_output(const floatv m[SIDE], floatv y[M])
{
    const floatv sum_p = m[1] + m[2], difference_p = m[1] - m[2], sum_q = m[3] + m[4], difference_q = m[3] - m[4];
    y[0] = m[0] + sum_p + sum_q;
    y[1] = P * difference_p + Q * difference_q;
    y[2] = P2 * sum_p + Q2 * sum_q;
    y[3] = P3 * difference_p + Q3 * difference_q + m[5];
}

/* A dy */
static inline void of_gradient(const floatv d[M], floatv z[SIDE])
{
    const floatv even_p = d[0] + P2 * d[2], odd_p = P * d[1] + P3 * d[3];
    const floatv even_q = d[0] + Q2 * d[2], odd_q = Q * d[1] + Q3 * d[3];
    z[0] = d[0];
    z[1] = even_p + odd_p;
    z[2] = even_p - odd_p;
    z[3] = even_q + odd_q;
    z[4] = even_q - odd_q;
    z[5] = d[3];
}

/* G g */
static inline void of_weights(const floatv g[3], floatv u[SIDE])
{
    const floatv even_p = NP * (g[0] + P2 * g[2]), odd_p = NP * P * g[1];
    const floatv even_q = NQ * (g[0] + Q2 * g[2]), odd_q = NQ * Q * g[1];
    u[0] = g[0];
    u[1] = even_p + odd_p;
    u[2] = even_p - odd_p;
    u[3] = even_q + odd_q;
    u[4] = even_q - odd_q;
    u[5] = g[2];
}

/* Gt u */
static inline void to_weights(const floatv u[SIDE], floatv g[3])
{
    const floatv sum_p = NP * (u[1] + u[2]), difference_p = NP * (u[1] - u[2]);
    const floatv sum_q = NQ * (u[3] + u[4]), difference_q = NQ * (u[3] - u[4]);
    g[0] = u[0] + sum_p + sum_q;
    g[1] = P * difference_p + Q * difference_q;
    g[2] = P2 * sum_p + Q2 * sum_q + u[5];
}
#elif M == 2
static inline void of_data(const floatv d[SIDE], floatv v[SIDE])
{
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[1] - d[3];
}

static inline void to_output(const floatv m[SIDE], floatv y[M])
{
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] - m[3];
}

static inline void of_gradient(const floatv d[M], floatv z[SIDE])
{
    z[0] = d[0];
    z[1] = d[0] + d[1];
    z[2] = d[0] - d[1];
    z[3] = -d[1];
}

static inline void of_weights(const floatv g[3], floatv u[SIDE])
{
    const floatv even = 0.5f * (g[0] + g[2]), odd = 0.5f * g[1];
    u[0] = g[0];
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = g[2];
}

static inline void to_weights(const floatv u[SIDE], floatv g[3])
{
    const floatv sum = 0.5f * (u[1] + u[2]);
    g[0] = u[0] + sum;
    g[1] = 0.5f * (u[1] - u[2]);
    g[2] = sum + u[3];
}
#else
#error "M must be 2 or 4"
#endif
