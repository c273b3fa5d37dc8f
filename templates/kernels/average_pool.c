/* @NAME@: means of KH x KW pixels, with strides and padding, which counts as zeros. */
OUTLINE void @NAME@(const float *const x[], float *restrict y, int thread, int threads)
{
    enum { UNITS = @IMAGES@ * @OUT_ROWS@ * @BLOCKS@ };
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int block = unit % @BLOCKS@, row = unit / @BLOCKS@ % @OUT_ROWS@, image = unit / (@BLOCKS@ * @OUT_ROWS@);
        const int top = row * @STRIDE_Y@ - @PAD_TOP@;
        const int first_row = top < 0 ? 0 : top, last_row = top + @KH@ < @IN_ROWS@ ? top + @KH@ : @IN_ROWS@;
        const float *from = x[0] + image * (ptrdiff_t)@X_IMAGE@ + block * (ptrdiff_t)@X_BLOCK@;
        float *to = y + image * (ptrdiff_t)@Y_IMAGE@ + row * (ptrdiff_t)@Y_ROW@ + block * (ptrdiff_t)@Y_BLOCK@;
        for (int col = 0; col < @OUT_COLS@; col++) {
            const int left = col * @STRIDE_X@ - @PAD_LEFT@;
            const int first_col = left < 0 ? 0 : left, last_col = left + @KW@ < @IN_COLS@ ? left + @KW@ : @IN_COLS@;
            vec sum[VECTORS];
            UNROLL
            for (int n = 0; n < VECTORS; n++) sum[n] = SPLAT(0.0f);
            for (int i = first_row; i < last_row; i++) {
                for (int j = first_col; j < last_col; j++) {
                    UNROLL
                    for (int n = 0; n < VECTORS; n++) sum[n] += AT(from + i * (ptrdiff_t)@X_ROW@ + j * BLOCK + n * VL);
                }
            }
            UNROLL
            for (int n = 0; n < VECTORS; n++) PUT(to + col * BLOCK + n * VL, sum[n] * (1.0f / (@KH@ * @KW@)));
        }
    }
}
