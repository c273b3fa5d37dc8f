/* v = erf v: below 1 an odd polynomial, then 1 - erfc, whose logarithm is one; from 4 on it rounds to 1. */
INLINE void erf_lanes(vec *v)
{
    vec a = SELECT(*v < 0.0f, -*v, *v);
    a = SELECT(a > 4.0f, SPLAT(4.0f), a);
    const vec square = a * a;
    vec p = SPLAT(7.88911947e-5f);
    p = p * square - 8.02084126e-4f;
    p = p * square + 5.18953534e-3f;
    p = p * square - 2.68544446e-2f;
    p = p * square + 1.12836002e-1f;
    p = p * square - 3.76126271e-1f;
    p = p * square + 1.12837917f;
    const vec near = *v * p;
    vec q = SPLAT(1.85574895e-4f);
    q = q * a - 2.93961575e-3f;
    q = q * a + 2.18053512e-2f;
    q = q * a - 1.03037436e-1f;
    q = q * a - 6.38225602e-1f;
    q = q * a - 1.12704008f;
    q = q * a - 3.53708911e-4f;
    exp_lanes(&q);
    const vec far = 1.0f - q;
    *v = SELECT(a < 1.0f, near, SELECT(*v < 0.0f, -far, far));
}
