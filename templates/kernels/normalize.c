/* Normalisation, activation and residual in one pass: y = final(activation(scale z + shift) + r).
 *
 * Layout and strides as in the convolutions. `table` is the statistics' table; see norm_statistics.c. Holes: IMAGES, ROWS,
 * COLS, BLOCKS; PHASES: 1, or 4 where the scale depends on row and column parity; Z_, R_ and Y_ IMAGE, ROW and BLOCK;
 * STATEMENTS on the vector v, with scale, shift (vectors) and r + at in scope.
 */

/* @NAME@: @IMAGES@ x @ROWS@ x @COLS@ pixels of @BLOCKS@ blocks. */
OUTLINE void @NAME@(const float *z, const float *table, const float *r, float *y, int thread, int threads)
{
    enum { UNITS = @IMAGES@ * @ROWS@ * @BLOCKS@, WIDTH = @BLOCKS@ * BLOCK, ACROSS = @PHASES@ == 4 ? 2 : 1 };
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int block = unit % @BLOCKS@, row = unit / @BLOCKS@ % @ROWS@, image = unit / (@BLOCKS@ * @ROWS@);
        const float *from = z + image * (ptrdiff_t)@Z_IMAGE@ + row * (ptrdiff_t)@Z_ROW@ + block * (ptrdiff_t)@Z_BLOCK@;
        const ptrdiff_t residual = image * (ptrdiff_t)@R_IMAGE@ + row * (ptrdiff_t)@R_ROW@ + block * (ptrdiff_t)@R_BLOCK@;
        float *to = y + image * (ptrdiff_t)@Y_IMAGE@ + row * (ptrdiff_t)@Y_ROW@ + block * (ptrdiff_t)@Y_BLOCK@;
        for (int q = 0; q < ACROSS; q++) {
            const int phase = ACROSS == 2 ? row % 2 * 2 + q : 0;
            UNROLL
            for (int n = 0; n < BLOCK; n += VL) {
                const float *line = table + block * BLOCK + n;
                const vec scale = @SCALE@, shift = @SHIFT@;
                for (int col = q; col < @COLS@; col += ACROSS) {
                    const ptrdiff_t at = residual + col * BLOCK + n;
                    vec v = AT(from + col * BLOCK + n);
                    (void)at;
                    @STATEMENTS@
                    PUT(to + col * BLOCK + n, v);
                }
                (void)scale, (void)shift, (void)line;
            }
            (void)phase;
        }
        (void)residual;
    }
    (void)table, (void)r;
}
