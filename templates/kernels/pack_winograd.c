/* [output][input][3 x 3] -> [strip][element][segment][block][16 lanes][strip * 16 outputs]: G g G', with G of `edge` rows. A
 * strip's outputs are transformed side by side, so that what is written lies together; threads share each segment's channels. */
static void pack_winograd(float *to, int out_blocks, int strip, int depth, const input_view *views, int segments, int edge,
                          const double *g, int inputs, const float *w, int first, int outputs, const batch_norm *norm, int thread,
                          int threads)
{
    enum { SIDE = 16 };
    for (int side = first / SIDE * SIDE; side < first + outputs; side += SIDE) {
        const int s = side / (strip * 16), left = out_blocks - s * strip, width = (left < strip ? left : strip) * 16;
        const int low = side < first ? first - side : 0, high = first + outputs - side < SIDE ? first + outputs - side : SIDE;
        double scale[SIDE];
        for (int o = low; o < high; o++) scale[o] = norm_scale(norm, side + o - first);
        float *at = to + (ptrdiff_t)s * edge * edge * depth * strip * 16 + (side - s * strip * 16);
        for (int v = 0; v < segments; v++) {
            const int channels = views[v].channels, end = share(channels, thread + 1, threads);
            for (int c = share(channels, thread, threads); c < end; c++) {
                const int in = views[v].first + c * views[v].stride;
                double taps[9][SIDE] = {{0}}, lines[3][SIDE];
                for (int o = low; o < high; o++) {
                    const float *from = w + ((ptrdiff_t)(side + o - first) * inputs + in) * 9;
                    for (int tap = 0; tap < 9; tap++) taps[tap][o] = from[tap] * scale[o];
                }
                for (int i = 0; i < edge; i++) {
                    const double *a = g + 3 * i;
                    for (int col = 0; col < 3; col++) {
                        for (int o = 0; o < SIDE; o++)
                            lines[col][o] = a[0] * taps[col][o] + a[1] * taps[3 + col][o] + a[2] * taps[6 + col][o];
                    }
                    for (int j = 0; j < edge; j++) {
                        const double *b = g + 3 * j;
                        float *line = at + ((ptrdiff_t)(i * edge + j) * depth + c) * width;
                        for (int o = low; o < high; o++)
                            line[o] = (float)(b[0] * lines[0][o] + b[1] * lines[1][o] + b[2] * lines[2][o]);
                    }
                }
            }
            at += (ptrdiff_t)((channels + 15) / 16 * 16) * width;
        }
    }
}
