/* The functions that losses and optimisers need and C has only in its mathematical library, which generated code does
 * without: exponential, logarithm, arc tangent and root. Double precision for what is computed once per image or match,
 * vectors for what is computed per logit.
 */

/* Whether a is a number of [low, high]. NaN is told by its bits, so that it is also where a compiler takes it that there is
 * none (-ffinite-math-only). */
INLINE int is_within(double a, double low, double high)
{
    const union { double number; uint64_t bits; } value = {.number = a};
    return (value.bits & UINT64_C(0x7fffffffffffffff)) <= UINT64_C(0x7ff0000000000000) && a >= low && a <= high;
}

/* Neither NaN nor infinite, by the bits. */
INLINE int is_finite(double a)
{
    const union { double number; uint64_t bits; } value = {.number = a};
    return (value.bits & UINT64_C(0x7ff0000000000000)) != UINT64_C(0x7ff0000000000000);
}

/* e^a for a <= 0: 2^n by the exponent's bits, the rest by its series. NaN stays NaN. */
INLINE double exp_real(double a)
{
    if (a < -700.0) return 0.0;
    if (!(a <= 0.0)) return a > 0.0 ? 1.0 : a;
    const int n = (int)(a * 1.4426950408889634 - 0.5);
    const double f = a - n * 0.6931471805599453;
    double sum = 1.0;
    UNROLL
    for (int k = 13; k > 0; k--) sum = 1.0 + sum * f * (1.0 / k);
    union { uint64_t bits; double number; } scale = {.bits = (uint64_t)(n + 1023) << 52};
    return sum * scale.number;
}

/* ln a for normal a > 0: a = 2^n m with m in [1/sqrt 2, sqrt 2), ln m = 2 artanh((m - 1) / (m + 1)). */
INLINE double log_real(double a)
{
    union { double number; int64_t bits; } m = {.number = a};
    const int64_t n = (m.bits - INT64_C(0x3fe6a09e667f3bcd)) >> 52;
    m.bits -= n * (INT64_C(1) << 52);
    const double z = (m.number - 1.0) / (m.number + 1.0), square = z * z;
    double sum = 0.0;
    UNROLL
    for (int k = 10; k >= 0; k--) sum = sum * square + 1.0 / (2 * k + 1);
    return (double)n * 0.6931471805599453 + 2.0 * z * sum;
}

/* arctan a for a >= 0, brought to |z| <= tan(pi / 8), where its series converges fast. */
INLINE double atan_real(double a)
{
    const double quarter = 0.78539816339744831, tangent = 0.41421356237309505;
    const double b = a > 1.0 ? 1.0 / a : a;
    const double z = b > tangent ? (b - 1.0) / (b + 1.0) : b, square = z * z;
    double sum = 0.0;
    UNROLL
    for (int k = 22; k >= 0; k--) sum = 1.0 / (2 * k + 1) - sum * square;
    const double angle = (b > tangent ? quarter : 0.0) + z * sum;
    return a > 1.0 ? 2.0 * quarter - angle : angle;
}

/* sqrt a for a >= 0, by Newton's iteration from half the exponent. */
INLINE double root_real(double a)
{
    if (!(a > 0.0) || a > 1e300) return a;
    union { double number; uint64_t bits; } y = {.number = a};
    y.bits = (y.bits >> 1) + (UINT64_C(0x1ff) << 52);
    UNROLL
    for (int k = 0; k < 5; k++) y.number = 0.5 * (y.number + a / y.number);
    return y.number;
}

/* sqrt a for a >= 0 in single precision, without a branch, so that loops around it become vectors: Newton's iteration
 * for 1 / sqrt a, then one for the root. Infinity stays. */
INLINE float root_float(float a)
{
    union { float number; uint32_t bits; } y = {.number = a};
    y.bits = UINT32_C(0x5f3759df) - (y.bits >> 1);
    UNROLL
    for (int k = 0; k < 3; k++) y.number *= 1.5f - 0.5f * a * y.number * y.number;
    const float s = a * y.number;
    return a > 3e38f ? a : s + 0.5f * y.number * (a - s * s);
}

#if VL > 1
typedef ivec vec_bits;
#else
typedef int32_t vec_bits;
#endif

/* v = e^v; below -87 that of -87, above 88 that of 88. */
INLINE void exp_lanes(vec *v)
{
    const float magic = 12582912.0f + 127.0f;
    vec a = *v;
    clamp(&a, -87.0f, 88.0f);
    union { vec number; vec_bits bits; } scale = {.number = a * 1.44269504f + magic};
    const vec n = scale.number - magic;
    const vec f = (a - n * 0.693359375f) + n * 2.12194440e-4f; /* ln 2 in two parts: the first product is exact */
    vec p = SPLAT(1.0f / 5040);
    p = p * f + 1.0f / 720;
    p = p * f + 1.0f / 120;
    p = p * f + 1.0f / 24;
    p = p * f + 1.0f / 6;
    p = p * f + 0.5f;
    p = p * f + 1.0f;
    p = p * f + 1.0f;
    /* The low bits are n + 127: whatever is above them is shifted out. */
    scale.bits = (scale.bits & 255) * (1 << 23);
    *v = p * scale.number;
}

/* v = ln(1 + v) for v in [0, 1], to a relative error of rounding even where v is tiny: 2 artanh(v / (2 + v)). */
INLINE void log1p_lanes(vec *v)
{
    const vec z = *v / (*v + 2.0f), square = z * z;
    vec sum = SPLAT(1.0f / 15);
    sum = sum * square + 1.0f / 13;
    sum = sum * square + 1.0f / 11;
    sum = sum * square + 1.0f / 9;
    sum = sum * square + 1.0f / 7;
    sum = sum * square + 1.0f / 5;
    sum = sum * square + 1.0f / 3;
    sum = sum * square + 1.0f;
    *v = 2.0f * z * sum;
}

/* v = ln v for normal v > 0, as log_real does it. */
INLINE void log_lanes(vec *v)
{
    union { vec number; vec_bits bits; } m = {.number = *v}, n;
    n.bits = (m.bits - 0x3f3504f3) >> 23;
    m.bits = m.bits - n.bits * (1 << 23);
    n.bits = n.bits + 0x4b400000; /* 1.5 * 2^23 + n as a number */
    const vec z = (m.number - 1.0f) / (m.number + 1.0f), square = z * z;
    vec sum = SPLAT(1.0f / 9);
    sum = sum * square + 1.0f / 7;
    sum = sum * square + 1.0f / 5;
    sum = sum * square + 1.0f / 3;
    sum = sum * square + 1.0f;
    *v = (n.number - 12582912.0f) * 0.693147181f + 2.0f * z * sum;
}

/* How many of the numbers of a vector in blocks are ahead of the label's: of equal ones the first is taken as the larger,
 * and one that is not a number as larger than all. */
INLINE int label_rank(const float *x, const ptrdiff_t block, const int classes, const int label)
{
    const float own = x[label / BLOCK * block + label % BLOCK];
    int ahead = 0;
    for (int c = 0; c < classes; c++) {
        const float a = x[c / BLOCK * block + c % BLOCK];
        if (c != label) ahead += c < label ? !(a < own) : !(a <= own);
    }
    return ahead;
}

/* Binary cross-entropy of logits x against targets t in [0, 1], and its derivative by x, which replace x and t:
 * loss = w t ln(1 + e^-x) + (1 - t) ln(1 + e^x). With gamma > 0 it is the focal loss, that times
 * (t / 4 + (1 - t) 3 / 4) (1 - p_t)^gamma, where 1 - p_t = t (1 - p) + (1 - t) p and p = sigmoid(x).
 * Every term is a sum of positive ones: nothing cancels. */
INLINE void binary_cross_entropy(vec *x, vec *t, const float weight, const float gamma)
{
    const vec positive = *t * weight, negative = 1.0f - *t;
    vec e = SELECT(*x > 0.0f, -*x, *x);
    exp_lanes(&e);
    const vec high = 1.0f / (1.0f + e), low = e * high;
    log1p_lanes(&e);
    const vec p = SELECT(*x > 0.0f, high, low), q = SELECT(*x > 0.0f, low, high);
    const vec up = SELECT(*x > 0.0f, *x, SPLAT(0.0f)) + e, down = SELECT(*x < 0.0f, -*x, SPLAT(0.0f)) + e;
    vec loss = negative * up + positive * down;
    vec slope = negative * p - positive * q;
    if (gamma > 0.0f) {
        const vec wrong = *t * q + negative * p;
        const vec base = SELECT(wrong < 1e-30f, SPLAT(1e-30f), wrong);
        vec focus = base;
        log_lanes(&focus);
        focus *= gamma;
        exp_lanes(&focus);
        focus *= 0.25f * *t + 0.75f * negative;
        slope = focus * (slope + gamma * loss * (negative - *t) * p * q / base);
        loss *= focus;
    }
    *x = loss;
    *t = slope;
}
