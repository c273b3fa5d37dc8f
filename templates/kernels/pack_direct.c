/* [output][input][tap] -> [strip][segment][block][tap][16 lanes][strip * 16 outputs], for the outputs `first` and on. */
static void pack_direct(float *to, int out_blocks, int strip, int depth, const input_view *views, int segments, int taps,
                        int inputs, const float *w, int first, int outputs, const batch_norm *norm)
{
    for (int o = 0; o < outputs; o++) {
        const int out = first + o, s = out / (strip * 16), left = out_blocks - s * strip;
        const int width = (left < strip ? left : strip) * 16;
        const double scale = norm_scale(norm, o);
        float *at = to + (ptrdiff_t)s * depth * strip * 16 + (out - s * strip * 16);
        for (int v = 0; v < segments; v++) {
            for (int block = 0; block < views[v].channels; block += 16) {
                for (int tap = 0; tap < taps; tap++) {
                    for (int lane = 0; lane < 16; lane++, at += width) {
                        const int c = block + lane, in = views[v].first + c * views[v].stride;
                        if (c < views[v].channels) *at = (float)(w[((ptrdiff_t)o * inputs + in) * taps + tap] * scale);
                    }
                }
            }
        }
    }
}
