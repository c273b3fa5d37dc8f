/* Statistics of a batch normalisation: mean and variance of each channel over all images, rows and columns.
 *
 * They are merged from those of runs of values, slots, in double precision and in order. Either the convolution has gathered them
 * (GATHERED 1; see statistics.c), or rows are cut into chunks of CHUNK rows, whatever the number of threads, each a slot, of
 * which the mean is taken first and then the squares of the differences from it, while the chunk is still in a cache. So
 * neither a large mean nor the number of threads shows in the result.
 *
 * Where the normalisation is hoisted over a space-to-depth, each phase (row parity, column parity) of a channel is a channel of
 * its own: PHASES is 4, and channel c of phase p has parameter FIRST[p] + c * STRIDE[p].
 *
 * Result: a table of rows of BLOCKS * 16 floats, PHASES rows each of mean, 1 / sqrt(variance + EPSILON) = r, gamma r and
 * beta - mean gamma r; padded lanes are 0. Running statistics become (1 - MOMENTUM) old + MOMENTUM new, with the unbiased
 * variance, as PyTorch has them.
 *
 * Holes. IMAGES, ROWS, COLS, BLOCKS, CHANNELS; Z_IMAGE, Z_ROW, Z_BLOCK: strides of z; PHASES, FIRST, STRIDE; CHUNK: rows, an
 * even number if there are phases and ROWS is even; EPSILON, MOMENTUM; GATHERED; SLOTS, their
 * number. scratch: the slots, each [PHASES][2][BLOCKS * 16] floats, mean and squares, and after them 16 floats, of which the
 * first PHASES are the numbers of values.
 */

/* @NAME@: @CHANNELS@ channels in @PHASES@ phases of @IMAGES@ x @ROWS@ x @COLS@. */
OUTLINE void @NAME@(const float *z, const float *gamma, const float *beta, float *running_mean, float *running_variance,
                    float *table, float *scratch, int thread, int threads)
{
    enum { LINES = @IMAGES@ * @ROWS@, WIDTH = @BLOCKS@ * BLOCK, SLOT = @PHASES@ * 2 * WIDTH + 16 };
    enum { ACROSS = @PHASES@ == 4 ? 2 : 1 }; /* phases of a row */
    static const int first[] = {@FIRST@}, stride[] = {@STRIDE@};
    const int end = @GATHERED@ ? 0 : (int)((int64_t)@SLOTS@ * (thread + 1) / threads);
    for (int chunk = (int)((int64_t)@SLOTS@ * thread / threads); chunk < end; chunk++) {
        const int low = chunk * @CHUNK@, high = low + @CHUNK@ < LINES ? low + @CHUNK@ : LINES;
        float *slot = scratch + chunk * (ptrdiff_t)SLOT;
        float count[@PHASES@];
        for (int p = 0; p < @PHASES@; p++) {
            int lines = 0;
            for (int line = low; line < high; line++) lines += ACROSS == 1 || line % @ROWS@ % 2 == p / 2;
            slot[@PHASES@ * 2 * WIDTH + p] = count[p] = (float)(lines * (@COLS@ / ACROSS));
        }
        for (int block = 0; block < @BLOCKS@; block++) {
            for (int n = 0; n < BLOCK; n += VL) {
                vec mean[@PHASES@], square[@PHASES@];
                for (int p = 0; p < @PHASES@; p++) mean[p] = square[p] = SPLAT(0.0f);
                for (int again = 0; again < 2; again++) {
                    for (int line = low; line < high; line++) {
                        const float *from = z + line / @ROWS@ * (ptrdiff_t)@Z_IMAGE@ + line % @ROWS@ * (ptrdiff_t)@Z_ROW@ +
                                            block * (ptrdiff_t)@Z_BLOCK@ + n;
                        for (int q = 0; q < ACROSS; q++) {
                            const int p = ACROSS == 1 ? 0 : line % @ROWS@ % 2 * 2 + q;
                            /* Four sums side by side: none waits for the last, and each is of fewer numbers. */
                            vec sum[4] = {SPLAT(0.0f), SPLAT(0.0f), SPLAT(0.0f), SPLAT(0.0f)};
                            const vec m = mean[p];
                            for (int col = q; col < @COLS@; col += 4 * ACROSS) {
                                UNROLL
                                for (int k = 0; k < 4; k++) {
                                    if (col + k * ACROSS >= @COLS@) continue;
                                    const vec v = AT(from + (col + k * ACROSS) * BLOCK) - m;
                                    if (again)
                                        sum[k] += v * v;
                                    else
                                        sum[k] += v;
                                }
                            }
                            const vec all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
                            square[p] += all; /* first the sum, until the mean is known */
                        }
                    }
                    if (!again) {
                        for (int p = 0; p < @PHASES@; p++) {
                            mean[p] = count[p] > 0.0f ? square[p] * (1.0f / count[p]) : SPLAT(0.0f);
                            square[p] = SPLAT(0.0f);
                        }
                    }
                }
                for (int p = 0; p < @PHASES@; p++) {
                    float *to = slot + p * 2 * WIDTH + block * BLOCK + n;
                    PUT(to, mean[p]);
                    PUT(to + WIDTH, square[p]);
                }
            }
        }
    }
    if (!@GATHERED@) {
        BARRIER
    }
    const int last = (int)((int64_t)@PHASES@ * @BLOCKS@ * (thread + 1) / threads);
    for (int i = (int)((int64_t)@PHASES@ * @BLOCKS@ * thread / threads); i < last; i++) {
        const int p = i / @BLOCKS@, block = i % @BLOCKS@;
        double count = 0.0, mean[BLOCK] = {0.0}, square[BLOCK] = {0.0};
        for (int n = 0; n < @SLOTS@; n++) {
            const float *slot = scratch + n * (ptrdiff_t)SLOT, *from = slot + p * 2 * WIDTH + block * BLOCK;
            const double more = slot[@PHASES@ * 2 * WIDTH + p];
            if (more == 0.0) continue;
            const double share = more / (count + more), both = count * share;
            UNROLL
            for (int lane = 0; lane < BLOCK; lane++) {
                const double apart = from[lane] - mean[lane];
                square[lane] += from[WIDTH + lane] + apart * apart * both;
                mean[lane] += apart * share;
            }
            count += more;
        }
        for (int lane = 0; lane < BLOCK; lane++) {
            const int c = block * BLOCK + lane;
            float *to = table + p * WIDTH + c;
            float scale = 0.0f, shift = 0.0f, root = 0.0f;
            if (c < @CHANNELS@) {
                const int k = first[p] + c * stride[p];
                const double r = 1.0 / root_real(square[lane] / count + @EPSILON@);
                root = (float)r;
                scale = (float)(gamma[k] * r);
                shift = (float)(beta[k] - mean[lane] * gamma[k] * r);
                running_mean[k] = (float)(running_mean[k] + @MOMENTUM@ * (mean[lane] - running_mean[k]));
                const double unbiased = count > 1.0 ? square[lane] / (count - 1.0) : square[lane];
                running_variance[k] = (float)(running_variance[k] + @MOMENTUM@ * (unbiased - running_variance[k]));
            }
            to[0] = c < @CHANNELS@ ? (float)mean[lane] : 0.0f;
            to[@PHASES@ * WIDTH] = root;
            to[2 * @PHASES@ * WIDTH] = scale;
            to[3 * @PHASES@ * WIDTH] = shift;
        }
    }
    (void)z;
}
