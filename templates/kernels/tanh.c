/* v = tanh v: near 0 an odd polynomial, which keeps the relative error at rounding, else 1 - 2 / (1 + e^2|v|). */
INLINE void tanh_lanes(vec *v)
{
    const vec a = SELECT(*v < 0.0f, -*v, *v), square = *v * *v;
    vec p = SPLAT(-6.11317643e-3f);
    p = p * square + 2.10100686e-2f;
    p = p * square - 5.38540661e-2f;
    p = p * square + 1.33327945e-1f;
    p = p * square - 3.33333292e-1f;
    const vec near = *v + *v * square * p;
    vec e = a * 2.0f;
    exp_lanes(&e);
    const vec far = 1.0f - 2.0f / (e + 1.0f);
    *v = SELECT(a < 0.625f, near, SELECT(*v < 0.0f, -far, far));
}
