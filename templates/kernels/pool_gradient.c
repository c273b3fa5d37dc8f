/* @NAME@: the gradient of a pool of KH x KW pixels.
 *
 * For a maximum, the gradient goes to the first of the largest inputs, row by row; for a mean, in equal parts to all inputs,
 * padding counted. Each thread does whole planes of 16 channels, so that overlapping windows add up in one order.
 *
 * Layout as in the convolutions. Holes: IMAGES, BLOCKS; IN_ROWS, IN_COLS, OUT_ROWS, OUT_COLS; KH, KW, STRIDE_Y, STRIDE_X,
 * PAD_TOP, PAD_LEFT; MAX: 1 for a maximum; ADDS: whether dx keeps what it has; X_, G_ and D_ IMAGE, ROW and BLOCK: strides of
 * the input x, the result's gradient g and the input's gradient dx.
 */
OUTLINE void @NAME@(const float *x, const float *g, float *dx, int thread, int threads)
{
    enum { UNITS = @IMAGES@ * @BLOCKS@ };
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int image = unit / @BLOCKS@, block = unit % @BLOCKS@;
        const float *in = x + image * (ptrdiff_t)@X_IMAGE@ + block * (ptrdiff_t)@X_BLOCK@;
        const float *from = g + image * (ptrdiff_t)@G_IMAGE@ + block * (ptrdiff_t)@G_BLOCK@;
        float *to = dx + image * (ptrdiff_t)@D_IMAGE@ + block * (ptrdiff_t)@D_BLOCK@;
        for (int row = 0; row < (@ADDS@ ? 0 : @IN_ROWS@); row++) {
            for (int i = 0; i < @IN_COLS@ * BLOCK; i++) to[row * (ptrdiff_t)@D_ROW@ + i] = 0.0f;
        }
        for (int row = 0; row < @OUT_ROWS@; row++) {
            const int top = row * @STRIDE_Y@ - @PAD_TOP@;
            const int first_row = top < 0 ? 0 : top, last_row = top + @KH@ < @IN_ROWS@ ? top + @KH@ : @IN_ROWS@;
            for (int col = 0; col < @OUT_COLS@; col++) {
                const int left = col * @STRIDE_X@ - @PAD_LEFT@;
                const int first_col = left < 0 ? 0 : left, last_col = left + @KW@ < @IN_COLS@ ? left + @KW@ : @IN_COLS@;
                for (int n = 0; n < BLOCK; n += VL) {
                    vec rest = AT(from + row * (ptrdiff_t)@G_ROW@ + col * BLOCK + n);
                    vec largest = AT(in + first_row * (ptrdiff_t)@X_ROW@ + first_col * BLOCK + n);
                    if (@MAX@) {
                        for (int i = first_row; i < last_row; i++) {
                            for (int j = first_col; j < last_col; j++) {
                                const vec v = AT(in + i * (ptrdiff_t)@X_ROW@ + j * BLOCK + n);
                                largest = SELECT(v > largest, v, largest);
                            }
                        }
                    } else {
                        rest = rest / SPLAT((float)(@KH@ * @KW@)); /* a product would be rounded, or not, as the compiler likes */
                    }
                    for (int i = first_row; i < last_row; i++) {
                        for (int j = first_col; j < last_col; j++) {
                            const vec v = AT(in + i * (ptrdiff_t)@X_ROW@ + j * BLOCK + n);
                            float *at = to + i * (ptrdiff_t)@D_ROW@ + j * BLOCK + n;
                            if (@MAX@) {
                                /* The first one takes all, and leaves nothing to the others. */
                                PUT(at, AT(at) + SELECT(v == largest, rest, SPLAT(0.0f)));
                                rest = SELECT(v == largest, SPLAT(0.0f), rest);
                            } else {
                                PUT(at, AT(at) + rest);
                            }
                        }
                    }
                }
            }
        }
    }
}
