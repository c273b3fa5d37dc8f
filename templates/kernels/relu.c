INLINE void relu(vec *v) { *v = SELECT(*v < 0.0f, SPLAT(0.0f), *v); }
