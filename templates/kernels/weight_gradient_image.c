/* @NAME@: gradient of the weight of a convolution that reads the caller's image, planar [image][channel][row][column], itself
 * or through a space-to-depth: dW[o][i][ky][kx] = sum of dy[o] times the image there, 0 outside of it; and of its bias.
 *
 * A tap of an input is one number of the image for each pixel: registers hold the sums of TOGETHER taps and a block of outputs
 * over a row, each tap's number is broadcast. A unit of work is one block of outputs in a chunk of the images; chunks wait in
 * scratch and are added up in order.
 *
 * Holes. IMAGES, OUT_ROWS, OUT_COLS, OUT_BLOCKS, OUTPUTS; CHANNELS, IN_ROWS, IN_COLS: the image; KW, STRIDE, PAD_TOP,
 * PAD_LEFT: the convolution in the image's own pixels; TAPS: of its kernel, times CHANNELS; PLACES: for tap (row, column, channel) its
 * place in the weight of one output; CHUNKS; G_IMAGE, G_ROW, G_BLOCK; BIAS. scratch: OUT_BLOCKS * CHUNKS * (TAPS + 1) * 16.
 */

/* Taps whose sums are in registers at a time. */
enum { @NAME@_TOGETHER = VECTORS == 1 ? 8 : VECTORS <= 4 ? 12 / VECTORS : 1 };

/* Adds to the sums of `taps` taps, a literal, what columns [low, high) of a row give; tap t of column col is at x[t][col * STRIDE]. */
INLINE void @NAME@_row(const int taps, const float *const x[], const float *g, float *sums, const int low, const int high)
{
    const float *p[@NAME@_TOGETHER];
    vec acc[@NAME@_TOGETHER * VECTORS];
    UNROLL
    for (int t = 0; t < taps; t++) {
        p[t] = x[t];
        UNROLL
        for (int n = 0; n < VECTORS; n++) acc[t * VECTORS + n] = SPLAT(0.0f);
    }
    UNROLL_BY_2
    for (int col = low; col < high; col++) {
        vec v[VECTORS];
        UNROLL
        for (int n = 0; n < VECTORS; n++) v[n] = AT(g + col * BLOCK + n * VL);
        UNROLL
        for (int t = 0; t < taps; t++) {
            const float s = p[t][col * @STRIDE@];
            UNROLL
            for (int n = 0; n < VECTORS; n++) acc[t * VECTORS + n] += s * v[n];
        }
    }
    UNROLL
    for (int i = 0; i < taps * VECTORS; i++) PUT(sums + i * VL, AT(sums + i * VL) + acc[i]);
}

/* What one row gives to taps [tap, tap + taps): the columns that all of them have, then what single ones have beside. */
INLINE void @NAME@_taps(const int taps, const float *images, const float *g, float *sums, const int image, const int row,
                        const int tap)
{
    enum { PLANE = @IN_ROWS@ * @IN_COLS@ };
    const float *x[@NAME@_TOGETHER];
    int low[@NAME@_TOGETHER], high[@NAME@_TOGETHER], begin = 0, end = @OUT_COLS@;
    for (int t = 0; t < taps; t++) {
        const int c = (tap + t) % @CHANNELS@, kx = (tap + t) / @CHANNELS@ % @KW@, ky = (tap + t) / (@CHANNELS@ * @KW@);
        const int in = row * @STRIDE@ + ky - @PAD_TOP@, left = kx - @PAD_LEFT@;
        const int inside = in >= 0 && in < @IN_ROWS@;
        x[t] = images + (image * @CHANNELS@ + c) * (ptrdiff_t)PLANE + (inside ? in : 0) * (ptrdiff_t)@IN_COLS@ + left;
        low[t] = left < 0 ? (-left + @STRIDE@ - 1) / @STRIDE@ : 0;
        high[t] = (@IN_COLS@ - left + @STRIDE@ - 1) / @STRIDE@;
        if (high[t] > @OUT_COLS@) high[t] = @OUT_COLS@;
        if (!inside) high[t] = 0;
        if (begin < low[t]) begin = low[t];
        if (end > high[t]) end = high[t];
    }
    if (begin < end)
        @NAME@_row(taps, x, g, sums, begin, end);
    else
        begin = end = @OUT_COLS@;
    for (int t = 0; t < taps; t++) {
        const int first = begin < high[t] ? begin : high[t];
        if (low[t] < first) @NAME@_row(1, x + t, g, sums + t * BLOCK, low[t], first);
        if (end < high[t]) @NAME@_row(1, x + t, g, sums + t * BLOCK, end, high[t]);
    }
}

OUTLINE void @NAME@(const float *images, const float *dy, float *dw, float *db, float *scratch, int thread, int threads)
{
    static const int places[@TAPS@] = {@PLACES@};
    enum { UNITS = @OUT_BLOCKS@ * @CHUNKS@, SUMS = (@TAPS@ + 1) * BLOCK };
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int chunk = unit % @CHUNKS@, block = unit / @CHUNKS@;
        float *sums = scratch + unit * (ptrdiff_t)SUMS;
        memset(sums, 0, SUMS * sizeof(float));
        for (int image = @IMAGES@ * chunk / @CHUNKS@; image < @IMAGES@ * (chunk + 1) / @CHUNKS@; image++) {
            for (int row = 0; row < @OUT_ROWS@; row++) {
                const float *g = dy + image * (ptrdiff_t)@G_IMAGE@ + row * (ptrdiff_t)@G_ROW@ + block * (ptrdiff_t)@G_BLOCK@;
                for (int n = 0; n < BLOCK; n += VL) {
                    vec sum = AT(sums + @TAPS@ * BLOCK + n);
                    for (int col = 0; col < @OUT_COLS@; col++) sum += AT(g + col * BLOCK + n);
                    PUT(sums + @TAPS@ * BLOCK + n, sum);
                }
                int tap = 0;
                for (; tap + @NAME@_TOGETHER <= @TAPS@; tap += @NAME@_TOGETHER)
                    @NAME@_taps(@NAME@_TOGETHER, images, g, sums + tap * BLOCK, image, row, tap);
                for (; tap < @TAPS@; tap++) @NAME@_taps(1, images, g, sums + tap * BLOCK, image, row, tap);
            }
        }
    }
    BARRIER
    const int last = (int)((int64_t)@OUTPUTS@ * (thread + 1) / threads);
    for (int o = (int)((int64_t)@OUTPUTS@ * thread / threads); o < last; o++) {
        const float *from = scratch + o / BLOCK * (ptrdiff_t)@CHUNKS@ * SUMS + o % BLOCK;
        for (int tap = 0; tap <= @TAPS@; tap++) {
            double sum = 0.0;
            for (int chunk = 0; chunk < @CHUNKS@; chunk++) sum += from[chunk * (ptrdiff_t)SUMS + tap * BLOCK];
            if (tap < @TAPS@)
                dw[o * (ptrdiff_t)@TAPS@ + places[tap]] = (float)sum;
            else if (@BIAS@)
                db[o] = (float)sum;
        }
    }
    (void)db;
}
