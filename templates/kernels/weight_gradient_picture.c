/* @NAME@: gradient of the weight of a convolution that reads the caller's picture, planar [image][channel][row][column], itself
 * or behind a space-to-depth: dW[o][i][ky][kx] = sum of dy[o] times the picture there, 0 outside of it; and of its bias.
 *
 * A tap of an input is one number of the picture for each pixel, so taps are what registers hold beside a block of outputs. A
 * unit of work is one block of outputs in a chunk of the images; chunks wait in scratch and are added up in order.
 *
 * Holes. IMAGES, OUT_ROWS, OUT_COLS, OUT_BLOCKS, OUTPUTS; CHANNELS, IN_ROWS, IN_COLS: the picture; KW, STRIDE, PAD_TOP,
 * PAD_LEFT: the convolution in the picture's own pixels; TAPS: of its kernel, times CHANNELS; PLACES: for tap (row, column, channel) its
 * place in the weight of one output; CHUNKS; G_IMAGE, G_ROW, G_BLOCK; BIAS. scratch: OUT_BLOCKS * CHUNKS * (TAPS + 1) * 16.
 */
static void @NAME@(const float *picture, const float *dy, float *dw, float *db, float *scratch, int part, int parts)
{
    static const int places[@TAPS@] = {@PLACES@};
    enum { UNITS = @OUT_BLOCKS@ * @CHUNKS@, SUMS = (@TAPS@ + 1) * BLOCK, PLANE = @IN_ROWS@ * @IN_COLS@ };
    const int end = (int)((int64_t)UNITS * (part + 1) / parts);
    for (int unit = (int)((int64_t)UNITS * part / parts); unit < end; unit++) {
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
                for (int tap = 0; tap < @TAPS@; tap++) {
                    const int c = tap % @CHANNELS@, kx = tap / @CHANNELS@ % @KW@, ky = tap / (@CHANNELS@ * @KW@);
                    const int in = row * @STRIDE@ + ky - @PAD_TOP@, left = kx - @PAD_LEFT@;
                    if (in < 0 || in >= @IN_ROWS@) continue;
                    const float *x = picture + (image * @CHANNELS@ + c) * (ptrdiff_t)PLANE + in * (ptrdiff_t)@IN_COLS@ + left;
                    const int low = left < 0 ? (-left + @STRIDE@ - 1) / @STRIDE@ : 0;
                    int high = (@IN_COLS@ - left + @STRIDE@ - 1) / @STRIDE@;
                    if (high > @OUT_COLS@) high = @OUT_COLS@;
                    for (int n = 0; n < BLOCK; n += VL) {
                        vec sum[4] = {AT(sums + tap * BLOCK + n), SPLAT(0.0f), SPLAT(0.0f), SPLAT(0.0f)};
                        int col = low;
                        for (; col + 4 <= high; col += 4) {
                            UNROLL
                            for (int k = 0; k < 4; k++) sum[k] += x[(col + k) * @STRIDE@] * AT(g + (col + k) * BLOCK + n);
                        }
                        for (; col < high; col++) sum[0] += x[col * @STRIDE@] * AT(g + col * BLOCK + n);
                        PUT(sums + tap * BLOCK + n, (sum[0] + sum[1]) + (sum[2] + sum[3]));
                    }
                }
            }
        }
    }
    BARRIER
    const int last = (int)((int64_t)@OUTPUTS@ * (part + 1) / parts);
    for (int o = (int)((int64_t)@OUTPUTS@ * part / parts); o < last; o++) {
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
