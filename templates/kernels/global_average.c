/* @NAME@: mean over all pixels, C x H x W -> C x 1 x 1, summed in row order. */
OUTLINE void @NAME@(const float *const x[], float *restrict y, int thread, int threads)
{
    enum { UNITS = @IMAGES@ * @BLOCKS@ };
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int block = unit % @BLOCKS@, image = unit / @BLOCKS@;
        const float *from = x[0] + image * (ptrdiff_t)@X_IMAGE@ + block * (ptrdiff_t)@X_BLOCK@;
        vec sum[VECTORS];
        UNROLL
        for (int n = 0; n < VECTORS; n++) sum[n] = SPLAT(0.0f);
        for (int row = 0; row < @ROWS@; row++) {
            for (int col = 0; col < @COLS@; col++) {
                UNROLL
                for (int n = 0; n < VECTORS; n++) sum[n] += AT(from + row * (ptrdiff_t)@X_ROW@ + col * BLOCK + n * VL);
            }
        }
        UNROLL
        for (int n = 0; n < VECTORS; n++)
            PUT(y + image * (ptrdiff_t)@Y_IMAGE@ + block * (ptrdiff_t)@Y_BLOCK@ + n * VL, sum[n] * (1.0f / (@ROWS@ * @COLS@)));
    }
}
