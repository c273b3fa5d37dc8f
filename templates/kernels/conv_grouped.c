/* @NAME@: grouped convolution whose groups do not fill whole blocks of channels: right for any groups, not fast.
 *
 * Weights are packed as [output][input of its group][tap row][tap column].
 */
OUTLINE void @NAME@(const float *const x[], const float *restrict w, const float *restrict bias, const float *restrict r,
                    float *restrict y, int thread, int threads)
{
    enum {
        IN = @INPUTS@ / @GROUPS@, /* per group */
        OUT = @OUTPUTS@ / @GROUPS@,
        UNITS = @IMAGES@ * @OUT_ROWS@ * @OUT_BLOCKS@
    };
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int block = unit % @OUT_BLOCKS@, row = unit / @OUT_BLOCKS@ % @OUT_ROWS@;
        const int image = unit / (@OUT_BLOCKS@ * @OUT_ROWS@);
        const float *from = x[0] + image * (ptrdiff_t)@X_IMAGE@ + row * (ptrdiff_t)@ROW_STEP@;
        float *to = y + image * (ptrdiff_t)@Y_IMAGE@ + row * (ptrdiff_t)@Y_ROW@ + block * (ptrdiff_t)@Y_BLOCK@;
        @LINE@
        for (int col = 0; col < @OUT_COLS@; col++) {
            for (int lane = 0; lane < BLOCK; lane++) {
                const int output = block * BLOCK + lane;
                float sum = bias[output];
                for (int i = 0; output < @OUTPUTS@ && i < IN; i++) {
                    const int input = output / OUT * IN + i;
                    const float *p = from + col * (ptrdiff_t)@PIXEL_STEP@ + input / BLOCK * (ptrdiff_t)@X_BLOCK@ + input % BLOCK;
                    const float *weights = w + ((ptrdiff_t)output * IN + i) * (@KH@ * @KW@);
                    for (int ky = 0; ky < @KH@; ky++) {
                        for (int kx = 0; kx < @KW@; kx++)
                            sum += p[ky * (ptrdiff_t)@TAP_ROW@ + kx * (ptrdiff_t)@TAP_COL@] * weights[ky * @KW@ + kx];
                    }
                }
                to[col * BLOCK + lane] = sum;
            }
            for (int n = 0; n < VECTORS; n++) {
                vec v = AT(to + col * BLOCK + n * VL);
                @EPILOGUE@
                PUT(to + col * BLOCK + n * VL, v);
            }
        }
    }
    (void)r;
}
