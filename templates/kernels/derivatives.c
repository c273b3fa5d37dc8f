/* ---- derivatives of the activations: each turns u, the activation's argument, into the derivative there ------------- */

INLINE void relu_slope(vec *u) { *u = SELECT(*u > 0.0f, SPLAT(1.0f), SPLAT(0.0f)); }

INLINE void leaky_relu_slope(vec *u, float slope) { *u = SELECT(*u > 0.0f, SPLAT(1.0f), SPLAT(slope)); }

/* s (1 - s) with s = sigmoid(u) */
INLINE void sigmoid_slope(vec *u)
{
    sigmoid(u);
    *u = *u * (1.0f - *u);
}

/* s (1 + u (1 - s)) */
INLINE void silu_slope(vec *u)
{
    vec s = *u;
    clamp(u, -87.0f, 87.0f);
    sigmoid(&s);
    *u = s * (1.0f + *u * (1.0f - s));
}

/* 0 below -3, 1 above 3, (2 u + 3) / 6 between */
INLINE void hard_swish_slope(vec *u)
{
    const vec between = (*u * 2.0f + 3.0f) * (1.0f / 6.0f);
    *u = SELECT(*u <= -3.0f, SPLAT(0.0f), SELECT(*u >= 3.0f, SPLAT(1.0f), between));
}
