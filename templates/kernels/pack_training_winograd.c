/* -> [strip][element][block of inputs][16 lanes][strip * 16 outputs]: G g G' of 3 x 3 taps, with G of `edge` rows, for blocks of
 * outputs [first, last), as far as there are `out_blocks`; first begins a strip. A function of its own, so that no compiler
 * sees the numbers of G and rounds otherwise where some of them are alike. */
OUTLINE void pack_winograd(float *to, int first, int last, int out_blocks, int strip, int in_blocks, const weight_run *inputs,
                          const weight_run *outputs, const float *w, const int *tap_offsets, int edge, const float *g,
                          int thread, int threads)
{
    const int units = ((last < out_blocks ? last : out_blocks) - first) * in_blocks, end = (int)((int64_t)units * (thread + 1) / threads);
    for (int unit = (int)((int64_t)units * thread / threads); unit < end; unit++) {
        const int out = first + unit / in_blocks, in = unit % in_blocks, s = out / strip, left = out_blocks - s * strip;
        const ptrdiff_t width = (left < strip ? left : strip) * BLOCK, plane = (ptrdiff_t)in_blocks * BLOCK * width;
        float *at = to + (ptrdiff_t)(s - first / strip) * edge * edge * in_blocks * BLOCK * strip * BLOCK + (ptrdiff_t)in * BLOCK * width +
                    out % strip * BLOCK;
        _Alignas(64) float taps[BLOCK][9][BLOCK];
        pack_block(&taps[0][0][0], BLOCK, 9 * BLOCK, inputs, in, outputs, out, w, 9, tap_offsets);
        for (int lane = 0; lane < BLOCK; lane++) {
            for (int n = 0; n < BLOCK; n += VL) {
                vec t[9];
                for (int tap = 0; tap < 9; tap++) t[tap] = AT(&taps[lane][tap][n]);
                for (int i = 0; i < edge; i++) {
                    const float *a = g + 3 * i;
                    const vec left_tap = a[0] * t[0] + a[1] * t[3] + a[2] * t[6];
                    const vec middle = a[0] * t[1] + a[1] * t[4] + a[2] * t[7];
                    const vec right = a[0] * t[2] + a[1] * t[5] + a[2] * t[8];
                    for (int j = 0; j < edge; j++) {
                        const float *b = g + 3 * j;
                        PUT(at + (i * edge + j) * plane + lane * width + n, b[0] * left_tap + b[1] * middle + b[2] * right);
                    }
                }
            }
        }
    }
}
