/* v * min(max(v + 3, 0), 6) / 6; minus infinity, whose product with 0 would be NaN, is cut off first. */
INLINE void hard_swish(vec *v)
{
    const vec a = SELECT(*v < -3.0f, SPLAT(-3.0f), *v);
    vec gate = a + 3.0f;
    gate = SELECT(gate > 6.0f, SPLAT(6.0f), gate);
    *v = a * (gate * (1.0f / 6.0f));
}
