/* acc[pixel][vector] += x[pixel][lane] * w[lane][vector], for `lanes` input channels in order.
 *
 * The heart of every convolution. All arguments but acc, x and w are literals, so the inner loops vanish: what is left
 * per lane is one load for each weight vector, one broadcast for each pixel and their products, with acc in registers.
 * Two lanes go together, and no more: a longer body leaves the cache of decoded instructions. With few accumulators it is four.
 * Pixel (i, j) of the tile is at x + (i / repeat) * row + (j / repeat) * pixel. Returns the end of the weights read.
 */
INLINE const float *multiply(vec *acc, const int rows, const int cols, const int vectors, const float *x,
                             const ptrdiff_t row, const ptrdiff_t pixel, const int repeat, const int lanes,
                             const float *w, const int ahead)
{
    const int together = rows * cols * vectors <= 8 && lanes % 4 == 0 ? 4 : lanes % 2 == 0 ? 2 : 1;
    ROLLED
    for (int first = 0; first < lanes; first += together) {
        UNROLL
        for (int lane = first; lane < first + together; lane++) {
            if (ahead > 0) {
                UNROLL
                for (int n = 0; n < vectors; n += VECTORS) PREFETCH(w, ahead + n * VL, 0);
            }
            UNROLL
            for (int i = 0; i < rows; i++) {
                UNROLL
                for (int j = 0; j < cols; j++) {
                    const float s = x[(i / repeat) * row + (j / repeat) * pixel + lane];
                    UNROLL
                    for (int n = 0; n < vectors; n++) acc[(i * cols + j) * vectors + n] += s * AT(w + n * VL);
                }
            }
            w += vectors * VL;
        }
    }
    return w;
}
