/* @NAME@: largest of KH x KW pixels, with strides and padding, which counts as minus infinity. NaN wins.
 *
 * First the largest of each column of KH pixels, for a piece of an output row at a time, then the largest of KW columns: KH + KW
 * comparisons instead of KH * KW.
 */

/* The larger one, as in PyTorch: a NaN in `a` is not below the best, one in the best is kept. */
INLINE void @NAME@_larger(vec *best, const vec *a) { *best = SELECT((*best >= *a) | (*best != *best), *best, *a); }

OUTLINE void @NAME@(const float *const x[], float *restrict y, int thread, int threads)
{
    enum {
        PIECE = @OUT_COLS@ < 32 ? @OUT_COLS@ : 32, /* pixels */
        SPAN = (PIECE - 1) * @STRIDE_X@ + @KW@,    /* columns that they read */
        UNITS = @IMAGES@ * @OUT_ROWS@ * @BLOCKS@
    };
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int block = unit % @BLOCKS@, row = unit / @BLOCKS@ % @OUT_ROWS@, image = unit / (@BLOCKS@ * @OUT_ROWS@);
        const int top = row * @STRIDE_Y@ - @PAD_TOP@;
        const int first_row = top < 0 ? 0 : top, last_row = top + @KH@ < @IN_ROWS@ ? top + @KH@ : @IN_ROWS@;
        const float *from = x[0] + image * (ptrdiff_t)@X_IMAGE@ + block * (ptrdiff_t)@X_BLOCK@;
        float *to = y + image * (ptrdiff_t)@Y_IMAGE@ + row * (ptrdiff_t)@Y_ROW@ + block * (ptrdiff_t)@Y_BLOCK@;
        for (int first = 0; first < @OUT_COLS@; first += PIECE) {
            const int cols = @OUT_COLS@ - first < PIECE ? @OUT_COLS@ - first : PIECE, left = first * @STRIDE_X@ - @PAD_LEFT@;
            vec columns[SPAN][VECTORS];
            for (int j = 0; j < (cols - 1) * @STRIDE_X@ + @KW@; j++) {
                UNROLL
                for (int n = 0; n < VECTORS; n++) columns[j][n] = SPLAT(-__builtin_inff());
                if (left + j < 0 || left + j >= @IN_COLS@) continue;
                const float *pixel = from + (left + j) * BLOCK;
                for (int i = first_row; i < last_row; i++) {
                    UNROLL
                    for (int n = 0; n < VECTORS; n++) @NAME@_larger(&columns[j][n], &AT(pixel + i * (ptrdiff_t)@X_ROW@ + n * VL));
                }
            }
            for (int col = 0; col < cols; col++) {
                UNROLL
                for (int n = 0; n < VECTORS; n++) {
                    vec best = columns[col * @STRIDE_X@][n];
                    for (int j = 1; j < @KW@; j++) @NAME@_larger(&best, &columns[col * @STRIDE_X@ + j][n]);
                    PUT(to + (first + col) * BLOCK + n * VL, best);
                }
            }
        }
    }
}
