/* What the gradient after a normalisation sums up to: the gradients of beta, sum g, and of gamma, sum g x, where g is the
 * gradient dy times the slopes of what follows the normalisation, and x = (z - mean) r the normalised value.
 *
 * Rows are cut into chunks of CHUNK rows, whatever the number of threads, and chunks are added up in order, in double
 * precision. A row holds its blocks one after the other and is read from end to end, as memory likes it; narrow ones a few
 * together, so that there is something to add up before a sum goes back to where it waits. `table` is the statistics' table; see
 * norm_statistics.c. Result: a table of the same rows: sum g, sum g x, and k0, k1 such that the gradient of z is
 * scale g - k0 - k1 z:
 *     k1 = scale r / M sum g x,    k0 = scale / M sum g - k1 mean,    M values to a channel.
 *
 * Holes. IMAGES, ROWS, COLS, BLOCKS, CHANNELS; G_, Z_ and Y_ IMAGE, ROW and BLOCK: strides of dy, of z and of y, the result of a
 * final ReLU; PHASES, FIRST, STRIDE, CHUNK: as for the statistics; SLOPE: statements on the vector g, with u = scale z + shift
 * and y + at in scope. scratch: 2 * chunks * PHASES * BLOCKS * 16 floats.
 */

/* @NAME@: @CHANNELS@ channels in @PHASES@ phases of @IMAGES@ x @ROWS@ x @COLS@. */
OUTLINE void @NAME@(const float *dy, const float *z, const float *y, const float *table, float *dgamma, float *dbeta,
                    float *sums, float *scratch, int thread, int threads)
{
    enum { LINES = @IMAGES@ * @ROWS@, CHUNKS = (LINES + @CHUNK@ - 1) / @CHUNK@, WIDTH = @BLOCKS@ * BLOCK };
    enum { ACROSS = @PHASES@ == 4 ? 2 : 1 };
    enum { TOGETHER = @COLS@ < 16 ? 16 / @COLS@ : 1 };
    static const int first[] = {@FIRST@}, stride[] = {@STRIDE@};
    const int end = (int)((int64_t)CHUNKS * (thread + 1) / threads);
    for (int chunk = (int)((int64_t)CHUNKS * thread / threads); chunk < end; chunk++) {
        const int low = chunk * @CHUNK@, high = low + @CHUNK@ < LINES ? low + @CHUNK@ : LINES;
        float *chunk_sums = scratch + (ptrdiff_t)chunk * @PHASES@ * 2 * WIDTH;
        for (int i = 0; i < @PHASES@ * 2 * WIDTH; i++) chunk_sums[i] = 0.0f;
        for (int begin = low; begin < high; begin += TOGETHER) {
            const int stop = begin + TOGETHER < high ? begin + TOGETHER : high;
            for (int lanes = 0; lanes < WIDTH; lanes += VL) {
                const int block = lanes / BLOCK, n = lanes % BLOCK;
                vec ones[@PHASES@], units[@PHASES@];
                for (int p = 0; p < @PHASES@; p++) {
                    ones[p] = AT(chunk_sums + p * 2 * WIDTH + lanes);
                    units[p] = AT(chunk_sums + (p * 2 + 1) * WIDTH + lanes);
                }
                for (int line = begin; line < stop; line++) {
                    const int image = line / @ROWS@, row = line % @ROWS@;
                    const float *from = dy + image * (ptrdiff_t)@G_IMAGE@ + row * (ptrdiff_t)@G_ROW@ + block * (ptrdiff_t)@G_BLOCK@ + n;
                    const float *in = z + image * (ptrdiff_t)@Z_IMAGE@ + row * (ptrdiff_t)@Z_ROW@ + block * (ptrdiff_t)@Z_BLOCK@ + n;
                    const ptrdiff_t out = image * (ptrdiff_t)@Y_IMAGE@ + row * (ptrdiff_t)@Y_ROW@ + block * (ptrdiff_t)@Y_BLOCK@ + n;
                    for (int q = 0; q < ACROSS; q++) {
                        const int p = ACROSS == 2 ? row % 2 * 2 + q : 0;
                        const float *entry = table + p * WIDTH + lanes;
                        const vec mean = AT(entry), root = AT(entry + @PHASES@ * WIDTH);
                        const vec scale = AT(entry + 2 * @PHASES@ * WIDTH), shift = AT(entry + 3 * @PHASES@ * WIDTH);
                        vec one = SPLAT(0.0f), unit = SPLAT(0.0f);
                        for (int col = q; col < @COLS@; col += ACROSS) {
                            const ptrdiff_t at = out + col * BLOCK;
                            const vec v = AT(in + col * BLOCK);
                            vec u = scale * v + shift, g = AT(from + col * BLOCK);
                            @SLOPE@
                            one += g;
                            unit += g * ((v - mean) * root);
                            (void)at, (void)u;
                        }
                        ones[p] += one;
                        units[p] += unit;
                    }
                    (void)out;
                }
                for (int p = 0; p < @PHASES@; p++) {
                    PUT(chunk_sums + p * 2 * WIDTH + lanes, ones[p]);
                    PUT(chunk_sums + (p * 2 + 1) * WIDTH + lanes, units[p]);
                }
            }
        }
    }
    BARRIER
    const double count = (double)LINES * @COLS@ / @PHASES@;
    const int last = (int)((int64_t)WIDTH * @PHASES@ * (thread + 1) / threads);
    for (int i = (int)((int64_t)WIDTH * @PHASES@ * thread / threads); i < last; i++) {
        const int p = i / WIDTH, c = i % WIDTH;
        double one = 0.0, unit = 0.0;
        for (int chunk = 0; chunk < CHUNKS; chunk++) {
            const float *from = scratch + ((ptrdiff_t)chunk * @PHASES@ + p) * 2 * WIDTH + c;
            one += from[0];
            unit += from[WIDTH];
        }
        if (c < @CHANNELS@) {
            dbeta[first[p] + c * stride[p]] = (float)one;
            dgamma[first[p] + c * stride[p]] = (float)unit;
        }
        const double mean = table[i], root = table[@PHASES@ * WIDTH + i], scale = table[2 * @PHASES@ * WIDTH + i];
        const double slope = scale * root * unit / count;
        sums[i] = (float)one;
        sums[@PHASES@ * WIDTH + i] = (float)unit;
        sums[2 * @PHASES@ * WIDTH + i] = (float)(scale * one / count - slope * mean);
        sums[3 * @PHASES@ * WIDTH + i] = (float)slope;
    }
    (void)y;
}
