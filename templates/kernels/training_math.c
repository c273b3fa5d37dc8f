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
