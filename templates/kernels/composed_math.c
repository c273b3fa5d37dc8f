/* Functions that the losses of model files are composed of: each works in place on one vector. The text of
 * training_math.c comes before it.
 */

/* ln v: minus infinity for 0 and what is closer to it than normal numbers, NaN below. */
INLINE void loss_log(vec *v)
{
    const union { uint32_t bits; float number; } infinity = {.bits = UINT32_C(0x7f800000)};
    const vec a = *v;
    log_lanes(v);
    const vec low = SELECT(a < 0.0f, SPLAT(infinity.number - infinity.number), SPLAT(-infinity.number));
    *v = SELECT(a < 1.17549435e-38f, low, SELECT(a <= 3.40282347e38f, *v, a));
}

/* The square root; NaN below 0. */
INLINE void loss_sqrt(vec *v)
{
    union { vec number; vec_bits bits; } y = {.number = *v};
    const vec a = *v;
    y.bits = 0x5f3759df - (y.bits >> 1);
    UNROLL
    for (int k = 0; k < 3; k++) y.number *= 1.5f - 0.5f * a * y.number * y.number;
    const vec s = a * y.number;
    *v = SELECT(a > 3e38f, a, SELECT(a < 0.0f, (a - a) / (a - a), s + 0.5f * y.number * (a - s * s)));
}

/* 1 / (1 + e^-v) */
INLINE void loss_sigmoid(vec *v)
{
    vec e = SELECT(*v > 0.0f, -*v, *v);
    exp_lanes(&e);
    const vec high = 1.0f / (1.0f + e);
    *v = SELECT(*v > 0.0f, high, e * high);
}

/* ln(1 + e^v) */
INLINE void loss_softplus(vec *v)
{
    vec e = SELECT(*v > 0.0f, -*v, *v);
    exp_lanes(&e);
    log1p_lanes(&e);
    *v = SELECT(*v < 0.0f, SPLAT(0.0f), *v) + e;
}

/* -1, 0 or 1; NaN stays. */
INLINE void loss_sign(vec *v) { *v = SELECT(*v > 0.0f, SPLAT(1.0f), SELECT(*v < 0.0f, SPLAT(-1.0f), *v)); }
