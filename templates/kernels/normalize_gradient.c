/* The gradient of normalisation, activation and residual in one pass: dz = scale g - k0 - k1 z, where g is dy times the
 * slopes of what follows the normalisation; without one dz = g. The residual's gradient is dy times the final slope alone.
 *
 * dz may be dy: each vector is read before it is written. `table` and `sums` are those of norm_statistics.c and
 * batch_norm_backward_reduce.c.
 *
 * Holes. IMAGES, ROWS, COLS, BLOCKS, PHASES; G_, Z_, Y_, D_ and R_ IMAGE, ROW and BLOCK: strides of dy, z, y
 * (the result of a final ReLU), dz and the residual's gradient dr; SCALE, SHIFT, K0, K1: vectors in terms of line, sum and
 * phase; FINAL, SLOPE: statements on the vector g, with u = scale z + shift and y + at in scope; STORE: stores of g, dz (d) and
 * the residual's gradient (h), with dz + to and dr + other in scope.
 */

/* @NAME@: @IMAGES@ x @ROWS@ x @COLS@ pixels of @BLOCKS@ blocks. */
OUTLINE void @NAME@(const float *dy, const float *z, const float *y, const float *table, const float *sums, float *dz, float *dr,
                    int thread, int threads)
{
    enum { UNITS = @IMAGES@ * @ROWS@ * @BLOCKS@, WIDTH = @BLOCKS@ * BLOCK, ACROSS = @PHASES@ == 4 ? 2 : 1 };
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int block = unit % @BLOCKS@, row = unit / @BLOCKS@ % @ROWS@, image = unit / (@BLOCKS@ * @ROWS@);
        const float *from = dy + image * (ptrdiff_t)@G_IMAGE@ + row * (ptrdiff_t)@G_ROW@ + block * (ptrdiff_t)@G_BLOCK@;
        const float *in = z + image * (ptrdiff_t)@Z_IMAGE@ + row * (ptrdiff_t)@Z_ROW@ + block * (ptrdiff_t)@Z_BLOCK@;
        const ptrdiff_t result = image * (ptrdiff_t)@Y_IMAGE@ + row * (ptrdiff_t)@Y_ROW@ + block * (ptrdiff_t)@Y_BLOCK@;
        const ptrdiff_t back = image * (ptrdiff_t)@D_IMAGE@ + row * (ptrdiff_t)@D_ROW@ + block * (ptrdiff_t)@D_BLOCK@;
        const ptrdiff_t aside = image * (ptrdiff_t)@R_IMAGE@ + row * (ptrdiff_t)@R_ROW@ + block * (ptrdiff_t)@R_BLOCK@;
        for (int q = 0; q < ACROSS; q++) {
            const int phase = ACROSS == 2 ? row % 2 * 2 + q : 0;
            UNROLL
            for (int n = 0; n < BLOCK; n += VL) {
                const float *line = table + block * BLOCK + n, *sum = sums + block * BLOCK + n;
                const vec scale = @SCALE@, shift = @SHIFT@, k0 = @K0@, k1 = @K1@;
                for (int col = q; col < @COLS@; col += ACROSS) {
                    const ptrdiff_t at = result + col * BLOCK + n, to = back + col * BLOCK + n, other = aside + col * BLOCK + n;
                    const vec v = AT(in + col * BLOCK + n);
                    vec u = scale * v + shift, g = AT(from + col * BLOCK + n);
                    @FINAL@
                    const vec h = g;
                    @SLOPE@
                    const vec d = scale * g - k0 - k1 * v;
                    @STORE@
                    (void)at, (void)to, (void)other, (void)u, (void)h, (void)d;
                }
                (void)line, (void)sum;
            }
            (void)phase;
        }
        (void)result, (void)back, (void)aside;
    }
    (void)table, (void)sums, (void)y, (void)dz, (void)dr;
}
