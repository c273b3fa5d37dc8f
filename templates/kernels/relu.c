/* max(v, 0); as in every activation NaN stays NaN. */
INLINE void relu(vec *v) { *v = SELECT(*v < 0.0f, SPLAT(0.0f), *v); }
