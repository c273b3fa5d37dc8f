/* @NAME@: the gradient of a mean over ROWS x COLS pixels: an equal part of the gradient g for each.
 *
 * Holes: IMAGES, BLOCKS, ROWS, COLS; ADDS: whether dx keeps what it has; G_IMAGE, G_BLOCK, D_IMAGE, D_ROW, D_BLOCK: strides of
 * g and dx.
 */
OUTLINE void @NAME@(const float *g, float *dx, int thread, int threads)
{
    enum { UNITS = @IMAGES@ * @ROWS@ * @BLOCKS@ };
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int block = unit % @BLOCKS@, row = unit / @BLOCKS@ % @ROWS@, image = unit / (@BLOCKS@ * @ROWS@);
        const float *from = g + image * (ptrdiff_t)@G_IMAGE@ + block * (ptrdiff_t)@G_BLOCK@;
        float *to = dx + image * (ptrdiff_t)@D_IMAGE@ + row * (ptrdiff_t)@D_ROW@ + block * (ptrdiff_t)@D_BLOCK@;
        for (int n = 0; n < BLOCK; n += VL) {
            const vec share = AT(from + n) / SPLAT((float)(@ROWS@ * @COLS@));
            for (int col = 0; col < @COLS@; col++) {
                vec v = share;
                if (@ADDS@) v += AT(to + col * BLOCK + n);
                PUT(to + col * BLOCK + n, v);
            }
        }
    }
}
