/* @NAME@: batch normalisation, activation or sum as a loop of its own, y = f(x).
 *
 * Layout and names as in the convolutions. Holes: X_IMAGE, X_ROW, X_BLOCK strides of the input, likewise Y_ and R_ (the
 * second summand); EPILOGUE: statements on the vector `v`, with `channel`, `phase`, `bias`, `r + residual` in scope.
 */
OUTLINE void @NAME@(const float *const x[], const float *bias, const float *r, float *y, int thread, int threads)
{
    enum { UNITS = @IMAGES@ * @ROWS@ * @BLOCKS@ };
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int block = unit % @BLOCKS@, row = unit / @BLOCKS@ % @ROWS@, image = unit / (@BLOCKS@ * @ROWS@);
        const float *from = x[0] + image * (ptrdiff_t)@X_IMAGE@ + row * (ptrdiff_t)@X_ROW@ + block * (ptrdiff_t)@X_BLOCK@;
        float *to = y + image * (ptrdiff_t)@Y_IMAGE@ + row * (ptrdiff_t)@Y_ROW@ + block * (ptrdiff_t)@Y_BLOCK@;
        @LINE@
        for (int col = 0; col < @COLS@; col++) {
            UNROLL
            for (int n = 0; n < VECTORS; n++) {
                vec v = AT(from + col * BLOCK + n * VL);
                @EPILOGUE@
                PUT(to + col * BLOCK + n * VL, v);
            }
        }
    }
    (void)bias, (void)r;
}
