INLINE void sigmoid(vec *v)
{
    clamp(v, -87.0f, 87.0f);
    one_plus_exp_minus(v);
    *v = 1.0f / *v;
}
