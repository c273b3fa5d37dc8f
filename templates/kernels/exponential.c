/* v = 1 + e^-v for |v| <= 87. With n = round(-v log2 e) and f = v log2 e + n, e^-v = 2^n 2^-f: adding 1.5 * 2^23 + 127
 * leaves n + 127 in the low bits, which shifted to the exponent's place are 2^n; 2^-f is a polynomial on [-1/2, 1/2].
 * n may be off by a little, so its log2 e is a rough one: were the two products equal, compilers would share one
 * multiplication and lose both fused multiply-adds. */
INLINE void one_plus_exp_minus(vec *v)
{
    const float magic = 12582912.0f + 127.0f, log2e = 1.44269504088896341f;
    const vec u = *v * -1.4427f + magic;
    const vec f = *v * log2e + (u - magic);
    vec p = SPLAT(-1.3264727e-3f);
    p = p * f + 9.6715130e-3f;
    p = p * f - 5.5507336e-2f;
    p = p * f + 2.4022242e-1f;
    p = p * f - 6.9314700e-1f;
    p = p * f + 1.0f;
#if VL > 1
    *v = p * (vec)((uvec)u << 23) + 1.0f;
#else
    union { float number; uint32_t bits; } scale = {.number = u};
    scale.bits <<= 23;
    *v = p * scale.number + 1.0f;
#endif
}
