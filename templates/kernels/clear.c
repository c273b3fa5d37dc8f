/* @NAME@: zeros, for a gradient that several write to and none as a whole. Hole: COUNT floats, halo and all. */
OUTLINE void @NAME@(float *y, int part, int parts)
{
    const ptrdiff_t end = (ptrdiff_t)((int64_t)@COUNT@ * (part + 1) / parts);
    for (ptrdiff_t i = (ptrdiff_t)((int64_t)@COUNT@ * part / parts); i < end; i++) y[i] = 0.0f;
}
