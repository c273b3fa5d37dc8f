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
