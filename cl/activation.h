/* Activation functions: ACTIVATE(v) is f(v), ACTIVATE_GRADIENT(value, d) is d * f' with `value` being f's x or y, as
 * needs_x in src/ops/activation.c says. Arguments are variables, all float or all of one vector type.
 *   -D ACTIVATION   enum activation_kind of src/ops/activation.h
 * Comparisons are written so that NaN stays NaN and a diverged run is seen.
 * Source: Keras 3 on TensorFlow, its gradients at the knots too. */
#ifndef ACTIVATION
#error "-D ACTIVATION is needed"
#endif

#define NOT_NEGATIVE(v) ((v) < 0 ? 0.0f : (v))
#define CLIP(v, top) ((v) < 0 ? 0.0f : (v) > (top) ? (top) : (v))
#define SIGMOID(v) (1.0f / (1.0f + exp(-(v))))
#define SOFTPLUS(v) (NOT_NEGATIVE(v) + log1p(exp(-fabs(v))))

#if ACTIVATION == 0 /* linear */
#define ACTIVATE(v) (v)
#define ACTIVATE_GRADIENT(y, d) (d)
#elif ACTIVATION == 1 /* relu */
#define ACTIVATE(v) NOT_NEGATIVE(v)
#define ACTIVATE_GRADIENT(y, d) ((y) > 0 ? (d) : 0.0f)
#elif ACTIVATION == 2 /* relu6 */
#define ACTIVATE(v) CLIP(v, 6.0f)
#define ACTIVATE_GRADIENT(y, d) ((y) > 0 && (y) < 6.0f ? (d) : 0.0f)
#elif ACTIVATION == 3 /* tanh */
#define ACTIVATE(v) tanh(v)
#define ACTIVATE_GRADIENT(y, d) ((d) * (1.0f - (y) * (y)))
#elif ACTIVATION == 4 /* sigmoid */
#define ACTIVATE(v) SIGMOID(v)
#define ACTIVATE_GRADIENT(y, d) ((d) * (y) * (1.0f - (y)))
#elif ACTIVATION == 5 /* leaky_relu */
#define ACTIVATE(v) ((v) < 0 ? 0.2f * (v) : (v))
#define ACTIVATE_GRADIENT(y, d) ((y) > 0 ? (d) : 0.2f * (d))
#elif ACTIVATION == 6 /* elu */
#define ACTIVATE(v) ((v) < 0 ? expm1(v) : (v))
#define ACTIVATE_GRADIENT(y, d) ((y) < 0 ? (d) * ((y) + 1.0f) : (d))
#elif ACTIVATION == 7 /* selu */
#define SELU_SCALE 1.05070098735548049f
#define SELU_SCALE_ALPHA 1.75809934084737686f
#define ACTIVATE(v) ((v) < 0 ? SELU_SCALE_ALPHA * expm1(v) : SELU_SCALE * (v))
#define ACTIVATE_GRADIENT(y, d) ((y) < 0 ? (d) * ((y) + SELU_SCALE_ALPHA) : SELU_SCALE * (d))
#elif ACTIVATION == 8 /* exponential */
#define ACTIVATE(v) exp(v)
#define ACTIVATE_GRADIENT(y, d) ((d) * (y))
#elif ACTIVATION == 9 /* softplus */
#define ACTIVATE(v) SOFTPLUS(v)
#define ACTIVATE_GRADIENT(y, d) (-(d) * expm1(-(y)))
#elif ACTIVATION == 10 /* softsign */
#define ACTIVATE(v) ((v) / (1.0f + fabs(v)))
#define ACTIVATE_GRADIENT(y, d) ((d) * (1.0f - fabs(y)) * (1.0f - fabs(y)))
#elif ACTIVATION == 11 /* hard_sigmoid: relu6(v + 3) / 6 */
#define ACTIVATE(v) (CLIP((v) + 3.0f, 6.0f) / 6.0f)
#define ACTIVATE_GRADIENT(y, d) ((y) > 0 && (y) < 1.0f ? (d) / 6.0f : 0.0f)
#elif ACTIVATION == 12 /* Keras 2's hard_sigmoid; its clip passes the gradient at both knots */
#define ACTIVATE(v) CLIP(0.2f * (v) + 0.5f, 1.0f)
#define ACTIVATE_GRADIENT(x, d) (0.2f * (x) + 0.5f >= 0 && 0.2f * (x) + 0.5f <= 1.0f ? 0.2f * (d) : 0.0f)
#elif ACTIVATION == 13 /* silu */
#define ACTIVATE(v) ((v) * SIGMOID(v))
#define ACTIVATE_GRADIENT(x, d) ((d) * SIGMOID(x) * (1.0f + (x) * (1.0f - SIGMOID(x))))
#elif ACTIVATION == 14 /* hard_silu */
#define ACTIVATE(v) ((v) * CLIP((v) + 3.0f, 6.0f) / 6.0f)
#define ACTIVATE_GRADIENT(x, d) \
    ((d) * (CLIP((x) + 3.0f, 6.0f) + ((x) > -3.0f && (x) < 3.0f ? (x) : 0.0f)) / 6.0f)
#elif ACTIVATION == 15 /* gelu */
#define ACTIVATE(v) (0.5f * (v) * erfc(-M_SQRT1_2_F * (v)))
#define ACTIVATE_GRADIENT(x, d) \
    ((d) * (0.5f * erfc(-M_SQRT1_2_F * (x)) + (x) * 0.398942280401432678f * exp(-0.5f * (x) * (x))))
#elif ACTIVATION == 16 /* gelu_approximate */
#define GELU_TANH(v) tanh(0.797884560802865356f * ((v) + 0.044715f * (v) * (v) * (v)))
#define ACTIVATE(v) (0.5f * (v) * (1.0f + GELU_TANH(v)))
#define ACTIVATE_GRADIENT(x, d) \
    ((d) * 0.5f * ((1.0f + GELU_TANH(x)) + (x) * (1.0f - GELU_TANH(x) * GELU_TANH(x)) * 0.797884560802865356f \
                                               * (1.0f + 3.0f * 0.044715f * (x) * (x))))
#elif ACTIVATION == 17 /* mish */
#define ACTIVATE(v) ((v) * tanh(SOFTPLUS(v)))
#define ACTIVATE_GRADIENT(x, d) \
    ((d) * (tanh(SOFTPLUS(x)) + (x) * SIGMOID(x) * (1.0f - tanh(SOFTPLUS(x)) * tanh(SOFTPLUS(x)))))
#elif ACTIVATION == 18 /* celu; at 0 both of its parts have slope 1 */
#define ACTIVATE(v) ((v) < 0 ? expm1(v) : (v))
#define ACTIVATE_GRADIENT(x, d) ((d) * ((x) < 0 ? exp(x) : (x) > 0 ? 1.0f : 2.0f))
#elif ACTIVATION == 19 /* squareplus */
#define ACTIVATE(v) (0.5f * ((v) + sqrt((v) * (v) + 4.0f)))
#define ACTIVATE_GRADIENT(x, d) ((d) * 0.5f * (1.0f + (x) / sqrt((x) * (x) + 4.0f)))
#elif ACTIVATION == 20 /* soft_shrink */
#define ACTIVATE(v) (fabs(v) <= 0.5f ? 0.0f : (v) < 0 ? (v) + 0.5f : (v) - 0.5f)
#define ACTIVATE_GRADIENT(x, d) (fabs(x) <= 0.5f ? 0.0f : (d))
#elif ACTIVATION == 21 /* hard_shrink */
#define ACTIVATE(v) (fabs(v) <= 0.5f ? 0.0f : (v))
#define ACTIVATE_GRADIENT(x, d) (fabs(x) <= 0.5f ? 0.0f : (d))
#elif ACTIVATION == 22 /* tanh_shrink */
#define ACTIVATE(v) ((v) - tanh(v))
#define ACTIVATE_GRADIENT(x, d) ((d) * tanh(x) * tanh(x))
#elif ACTIVATION == 23 /* hard_tanh */
#define ACTIVATE(v) ((v) < -1.0f ? -1.0f : (v) > 1.0f ? 1.0f : (v))
#define ACTIVATE_GRADIENT(x, d) (fabs(x) > 1.0f ? 0.0f : (d))
#elif ACTIVATION == 24 /* sparse_plus */
#define ACTIVATE(v) ((v) <= -1.0f ? 0.0f : (v) < 1.0f ? 0.25f * ((v) + 1.0f) * ((v) + 1.0f) : (v))
#define ACTIVATE_GRADIENT(x, d) ((x) <= -1.0f ? 0.0f : (x) < 1.0f ? (d) * 0.5f * ((x) + 1.0f) : (d))
#elif ACTIVATION == 25 /* sparse_sigmoid */
#define ACTIVATE(v) ((v) <= -1.0f ? 0.0f : (v) >= 1.0f ? 1.0f : 0.5f * ((v) + 1.0f))
#define ACTIVATE_GRADIENT(x, d) ((x) <= -1.0f || (x) >= 1.0f ? 0.0f : 0.5f * (d))
#elif ACTIVATION == 26 /* log_sigmoid */
#define ACTIVATE(v) (-SOFTPLUS(-(v)))
#define ACTIVATE_GRADIENT(x, d) ((d) * SIGMOID(-(x)))
#else
#error "ACTIVATION has no elementwise function"
#endif
