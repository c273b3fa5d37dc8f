INLINE void clamp(vec *v, float low, float high)
{
    const vec a = SELECT(*v < low, SPLAT(low), *v);
    *v = SELECT(a > high, SPLAT(high), a);
}
