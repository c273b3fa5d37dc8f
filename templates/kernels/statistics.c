/* Statistics of what a convolution stores, gathered while it is in registers.
 *
 * They are gathered over runs of pixels that do not depend on the number of threads: for each vector of channels the sums of
 * v - k and of its square, where k, the run's first value, keeps a large mean from taking the digits. A run's result is a slot,
 * width being that of all blocks of outputs: means, sums of the squares of the differences from them, and the number of pixels.
 *     slot: [2][width] floats, then 16 of which the first is the number
 * norm_statistics.c merges the slots. A strip of outputs has no more than 32 vectors, since its sums are in registers.
 */
typedef struct {
    int pixels[32];
    vec first[32], sum[32], square[32];
} statistics;

INLINE void begin_statistics(statistics *s)
{
    for (int n = 0; n < 32; n++) s->pixels[n] = 0;
}

/* Adds rows x cols pixels of vector number n; a row of pixels is `row` vectors after the one before, a pixel `step`. */
INLINE void add_statistics(statistics *s, const int n, const vec *v, const int rows, const int cols, const int row,
                           const int step)
{
    vec first = s->first[n], sum = s->sum[n], square = s->square[n];
    if (s->pixels[n] == 0) {
        first = v[0];
        sum = square = SPLAT(0.0f);
    }
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < cols; j++) {
            const vec d = v[i * row + j * step] - first;
            sum += d;
            square += d * d;
        }
    }
    s->pixels[n] += rows * cols;
    s->first[n] = first;
    s->sum[n] = sum;
    s->square[n] = square;
}

/* Writes what `vectors` vectors of channels, the first of them `channel`, give to a slot. */
INLINE void store_statistics(const statistics *s, float *slot, const int width, const int channel, const int vectors)
{
    const vec share = SPLAT(1.0f / (float)s->pixels[0]);
    for (int n = 0; n < vectors; n++) {
        float *to = slot + channel + n * VL;
        const vec apart = s->sum[n] * share;
        PUT(to, s->first[n] + apart);
        PUT(to + width, s->square[n] - s->sum[n] * apart);
    }
    if (channel == 0) slot[2 * width] = (float)s->pixels[0];
}
