/* @NAME@: depthwise convolution (as many groups as channels): a block of channels at a time, no sum over channels.
 *
 * Weights are packed as [block][tap row][tap column][16]. The rest is as in the direct convolution.
 */
OUTLINE void @NAME@(const float *const x[], const float *restrict w, const float *restrict bias, const float *restrict r,
                    float *restrict y, int thread, int threads)
{
    enum { UNITS = @IMAGES@ * @OUT_ROWS@ * @OUT_BLOCKS@ };
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int block = unit % @OUT_BLOCKS@, row = unit / @OUT_BLOCKS@ % @OUT_ROWS@;
        const int image = unit / (@OUT_BLOCKS@ * @OUT_ROWS@);
        const float *from = x[0] + image * (ptrdiff_t)@X_IMAGE@ + row * (ptrdiff_t)@ROW_STEP@ + block * (ptrdiff_t)@X_BLOCK@;
        const float *weights = w + block * (@KH@ * @KW@ * BLOCK);
        float *to = y + image * (ptrdiff_t)@Y_IMAGE@ + row * (ptrdiff_t)@Y_ROW@ + block * (ptrdiff_t)@Y_BLOCK@;
        @LINE@
        for (int col = 0; col < @OUT_COLS@; col++) {
            UNROLL
            for (int n = 0; n < VECTORS; n++) {
                vec v = AT(bias + block * BLOCK + n * VL);
                for (int ky = 0; ky < @KH@; ky++) {
                    for (int kx = 0; kx < @KW@; kx++)
                        v += AT(from + ky * (ptrdiff_t)@TAP_ROW@ + col * (ptrdiff_t)@PIXEL_STEP@ +
                                kx * (ptrdiff_t)@TAP_COL@ + n * VL) *
                             AT(weights + (ky * @KW@ + kx) * BLOCK + n * VL);
                }
                @EPILOGUE@
                PUT(to + col * BLOCK + n * VL, v);
            }
        }
    }
    (void)r;
}
