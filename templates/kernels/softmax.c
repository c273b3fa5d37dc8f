/* @NAME@: e^x / sum of e^x over the channels of each pixel, after subtracting the largest x. */

/* e^a for a <= 0, in double precision: 2^n by the exponent's bits, the rest by its series. NaN stays NaN. */
INLINE double @NAME@_exp(double a)
{
    if (a < -700.0) return 0.0;
    if (!(a <= 0.0)) return a;
    const int n = (int)(a * 1.4426950408889634 - 0.5);
    const double f = a - n * 0.6931471805599453;
    double sum = 1.0;
    for (int k = 13; k > 0; k--) sum = 1.0 + sum * f / k;
    union { uint64_t bits; double number; } scale = {.bits = (uint64_t)(n + 1023) << 52};
    return sum * scale.number;
}

OUTLINE void @NAME@(const float *const x[], float *restrict y, int thread, int threads)
{
    enum { UNITS = @IMAGES@ * @ROWS@ * @COLS@ };
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int col = unit % @COLS@, row = unit / @COLS@ % @ROWS@, image = unit / (@COLS@ * @ROWS@);
        const float *from = x[0] + image * (ptrdiff_t)@X_IMAGE@ + row * (ptrdiff_t)@X_ROW@ + col * BLOCK;
        float *to = y + image * (ptrdiff_t)@Y_IMAGE@ + row * (ptrdiff_t)@Y_ROW@ + col * BLOCK;
        float top = from[0];
        for (int c = 1; c < @CHANNELS@; c++) {
            const float a = from[c / BLOCK * (ptrdiff_t)@X_BLOCK@ + c % BLOCK];
            top = a > top ? a : top;
        }
        double sum = 0.0;
        for (int c = 0; c < @CHANNELS@; c++)
            sum += @NAME@_exp((double)from[c / BLOCK * (ptrdiff_t)@X_BLOCK@ + c % BLOCK] - top);
        for (int c = 0; c < @BLOCKS@ * BLOCK; c++) {
            const ptrdiff_t at = c / BLOCK * (ptrdiff_t)@X_BLOCK@ + c % BLOCK;
            to[c / BLOCK * (ptrdiff_t)@Y_BLOCK@ + c % BLOCK] =
                c < @CHANNELS@ ? (float)(@NAME@_exp((double)from[at] - top) / sum) : 0.0f;
        }
    }
}
