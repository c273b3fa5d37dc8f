/* [output][input of its group][tap], scaled: depthwise as [block][tap][16], others in their own order. */
static void pack_grouped(float *to, int depthwise, int inputs, int taps, const float *w, int outputs, const batch_norm *norm,
                         int thread, int threads)
{
    for (int o = share(outputs, thread, threads); o < share(outputs, thread + 1, threads); o++) {
        const double scale = norm_scale(norm, o);
        for (int i = 0; i < inputs * taps; i++) {
            const ptrdiff_t at = depthwise ? (ptrdiff_t)(o / 16 * taps + i) * 16 + o % 16 : (ptrdiff_t)o * inputs * taps + i;
            to[at] = (float)(w[(ptrdiff_t)o * inputs * taps + i] * scale);
        }
    }
}
