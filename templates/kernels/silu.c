/* v / (1 + e^-v). Below -87 the result is that of -87, about -1e-36: so it is for minus infinity too. */
INLINE void silu(vec *v)
{
    const vec a = SELECT(*v < -87.0f, SPLAT(-87.0f), *v);
    vec d = SELECT(a > 87.0f, SPLAT(87.0f), a);
    one_plus_exp_minus(&d);
    *v = a / d;
}
