INLINE void leaky_relu(vec *v, float slope) { *v = SELECT(*v < 0.0f, *v * slope, *v); }
