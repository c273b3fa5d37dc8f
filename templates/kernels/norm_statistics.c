/* Statistics of a batch normalisation: mean and variance of each channel over all images, rows and columns.
 *
 * Rows are cut into chunks of CHUNK rows, whatever the number of threads. Of each chunk the mean is taken first and then the
 * squares of the differences from it, while the chunk is still in a cache; chunks are merged in double precision, in
 * order. So neither a large mean nor the number of threads shows in the result.
 *
 * Where the normalisation was behind a space-to-depth, each phase (row parity, column parity) of a channel is a channel of
 * its own: PHASES is 4, and channel c of phase p has parameter FIRST[p] + c * STRIDE[p].
 *
 * Result: a table of rows of BLOCKS * 16 floats, PHASES rows each of mean, 1 / sqrt(variance + EPSILON) = r, gamma r and
 * beta - mean gamma r; padded lanes are 0. Running statistics become (1 - MOMENTUM) old + MOMENTUM new, with the unbiased
 * variance, as PyTorch has them.
 *
 * Holes. IMAGES, ROWS, COLS, BLOCKS, CHANNELS; Z_IMAGE, Z_ROW, Z_BLOCK: strides of z; PHASES, FIRST, STRIDE; CHUNK: rows, an
 * even number if there are phases and ROWS is even; EPSILON, MOMENTUM. scratch: 2 * chunks * PHASES * BLOCKS * 16 floats.
 */

/* @NAME@: @CHANNELS@ channels in @PHASES@ phases of @IMAGES@ x @ROWS@ x @COLS@. */
static void @NAME@(const float *z, const float *gamma, const float *beta, float *running_mean, float *running_variance,
                   float *table, float *scratch, int part, int parts)
{
    enum { LINES = @IMAGES@ * @ROWS@, CHUNKS = (LINES + @CHUNK@ - 1) / @CHUNK@, WIDTH = @BLOCKS@ * BLOCK };
    enum { ACROSS = @PHASES@ == 4 ? 2 : 1 }; /* phases of a row */
    static const int first[] = {@FIRST@}, stride[] = {@STRIDE@};
    const int end = (int)((int64_t)CHUNKS * (part + 1) / parts);
    for (int chunk = (int)((int64_t)CHUNKS * part / parts); chunk < end; chunk++) {
        const int low = chunk * @CHUNK@, high = low + @CHUNK@ < LINES ? low + @CHUNK@ : LINES;
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
                            for (int col = q, k = 0; col < @COLS@; col += ACROSS, k++) {
                                const vec v = AT(from + col * BLOCK) - m;
                                if (again)
                                    sum[k % 4] += v * v;
                                else
                                    sum[k % 4] += v;
                            }
                            const vec all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
                            square[p] += all; /* first the sum, until the mean is known */
                        }
                    }
                    if (!again) {
                        for (int p = 0; p < @PHASES@; p++) {
                            int lines = 0;
                            for (int line = low; line < high; line++)
                                lines += ACROSS == 1 || line % @ROWS@ % 2 == p / 2;
                            mean[p] = lines > 0 ? square[p] * (1.0f / (float)(lines * (@COLS@ / ACROSS))) : SPLAT(0.0f);
                            square[p] = SPLAT(0.0f);
                        }
                    }
                }
                for (int p = 0; p < @PHASES@; p++) {
                    float *to = scratch + ((ptrdiff_t)chunk * @PHASES@ + p) * 2 * WIDTH + block * BLOCK + n;
                    PUT(to, mean[p]);
                    PUT(to + WIDTH, square[p]);
                }
            }
        }
    }
    BARRIER
    const int last = (int)((int64_t)WIDTH * @PHASES@ * (part + 1) / parts);
    for (int i = (int)((int64_t)WIDTH * @PHASES@ * part / parts); i < last; i++) {
        const int p = i / WIDTH, c = i % WIDTH;
        double count = 0.0, mean = 0.0, square = 0.0;
        for (int chunk = 0; chunk < CHUNKS; chunk++) {
            const int low = chunk * @CHUNK@, high = low + @CHUNK@ < LINES ? low + @CHUNK@ : LINES;
            int lines = high - low;
            if (ACROSS == 2) {
                lines = 0;
                for (int line = low; line < high; line++) lines += line % @ROWS@ % 2 == p / 2;
            }
            if (lines == 0) continue;
            const float *from = scratch + ((ptrdiff_t)chunk * @PHASES@ + p) * 2 * WIDTH + c;
            const double more = (double)lines * (@COLS@ / ACROSS), apart = from[0] - mean;
            square += from[WIDTH] + apart * apart * (count * more / (count + more));
            mean += apart * (more / (count + more));
            count += more;
        }
        float scale = 0.0f, shift = 0.0f, root = 0.0f;
        if (c < @CHANNELS@) {
            const int k = first[p] + c * stride[p];
            const double r = 1.0 / root_real(square / count + @EPSILON@);
            root = (float)r;
            scale = (float)(gamma[k] * r);
            shift = (float)(beta[k] - mean * gamma[k] * r);
            running_mean[k] = (float)(running_mean[k] + @MOMENTUM@ * (mean - running_mean[k]));
            const double unbiased = count > 1.0 ? square / (count - 1.0) : square;
            running_variance[k] = (float)(running_variance[k] + @MOMENTUM@ * (unbiased - running_variance[k]));
        }
        table[p * WIDTH + c] = c < @CHANNELS@ ? (float)mean : 0.0f;
        table[(@PHASES@ + p) * WIDTH + c] = root;
        table[(2 * @PHASES@ + p) * WIDTH + c] = scale;
        table[(3 * @PHASES@ + p) * WIDTH + c] = shift;
    }
}
