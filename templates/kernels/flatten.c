/* @NAME@: C x H x W -> C*H*W x 1 x 1 in row-major order, where no linear layer could take it over. */
OUTLINE void @NAME@(const float *const x[], float *restrict y, int thread, int threads)
{
    enum { COUNT = @CHANNELS@ * @ROWS@ * @COLS@, UNITS = @IMAGES@ * @Y_BLOCKS@ };
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int block = unit % @Y_BLOCKS@, image = unit / @Y_BLOCKS@;
        float *to = y + image * (ptrdiff_t)@Y_IMAGE@ + block * (ptrdiff_t)@Y_BLOCK@;
        for (int lane = 0; lane < BLOCK; lane++) {
            const int i = block * BLOCK + lane;
            const int c = i / (@ROWS@ * @COLS@), row = i / @COLS@ % @ROWS@, col = i % @COLS@;
            to[lane] = i < COUNT ? x[0][image * (ptrdiff_t)@X_IMAGE@ + row * (ptrdiff_t)@X_ROW@ +
                                        c / BLOCK * (ptrdiff_t)@X_BLOCK@ + col * BLOCK + c % BLOCK]
                                 : 0.0f;
        }
    }
}
