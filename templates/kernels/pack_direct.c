/* [output][input][tap] -> [strip][segment][block][tap][16 lanes][strip * 16 outputs], for the outputs `first` and on. A block of
 * outputs is written side by side, so that what is written lies together; threads share each segment's channels. */
static void pack_direct(float *to, int out_blocks, int strip, int depth, const input_view *views, int segments, int taps,
                        int inputs, const float *w, int first, int outputs, const batch_norm *norm, int thread, int threads)
{
    for (int side = first / 16 * 16; side < first + outputs; side += 16) {
        const int s = side / (strip * 16), left = out_blocks - s * strip, width = (left < strip ? left : strip) * 16;
        const int low = side < first ? first - side : 0, high = first + outputs - side < 16 ? first + outputs - side : 16;
        double scale[16];
        for (int o = low; o < high; o++) scale[o] = norm_scale(norm, side + o - first);
        float *at = to + (ptrdiff_t)s * depth * strip * 16 + (side - s * strip * 16);
        for (int v = 0; v < segments; v++) {
            const int channels = views[v].channels, end = share(channels, thread + 1, threads);
            for (int c = share(channels, thread, threads); c < end; c++) {
                const int in = views[v].first + c * views[v].stride;
                for (int tap = 0; tap < taps; tap++) {
                    float *line = at + ((ptrdiff_t)(c / 16 * taps + tap) * 16 + c % 16) * width;
                    for (int o = low; o < high; o++)
                        line[o] = (float)(w[((ptrdiff_t)(side + o - first) * inputs + in) * taps + tap] * scale[o]);
                }
            }
            at += (ptrdiff_t)((channels + 15) / 16 * 16) * taps * width;
        }
    }
}
