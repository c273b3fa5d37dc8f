/* A learned parameter of an activation: one value for all outputs, or one for each; zeros up to a whole block. */
static void pack_parameter(float *to, const float *values, int count, int outputs, int thread, int threads)
{
    const int width = (outputs + BLOCK - 1) / BLOCK * BLOCK;
    const int end = (int)((int64_t)width * (thread + 1) / threads);
    for (int o = (int)((int64_t)width * thread / threads); o < end; o++)
        to[o] = o < outputs ? values[count == 1 ? 0 : o] : 0.0f;
}
