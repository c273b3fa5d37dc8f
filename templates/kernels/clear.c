/* @NAME@: zeros a gradient that several steps write to, none of them completely. Hole: COUNT floats, halo and all. */
OUTLINE void @NAME@(float *y, int thread, int threads)
{
    const ptrdiff_t end = (ptrdiff_t)((int64_t)@COUNT@ * (thread + 1) / threads);
    for (ptrdiff_t i = (ptrdiff_t)((int64_t)@COUNT@ * thread / threads); i < end; i++) y[i] = 0.0f;
}
