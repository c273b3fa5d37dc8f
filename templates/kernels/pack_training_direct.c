/* -> [strip][block of inputs][tap][16 lanes][strip * 16 outputs]; threads share pairs of blocks. */
static void pack_direct(float *to, int out_blocks, int strip, int in_blocks, const weight_run *inputs, const weight_run *outputs,
                        const float *w, int taps, const int *tap_offsets, int thread, int threads)
{
    const int units = out_blocks * in_blocks, end = (int)((int64_t)units * (thread + 1) / threads);
    for (int unit = (int)((int64_t)units * thread / threads); unit < end; unit++) {
        const int out = unit / in_blocks, in = unit % in_blocks, s = out / strip, left = out_blocks - s * strip;
        const ptrdiff_t width = (left < strip ? left : strip) * BLOCK;
        float *at = to + (ptrdiff_t)s * in_blocks * taps * BLOCK * strip * BLOCK + (ptrdiff_t)in * taps * BLOCK * width +
                    out % strip * BLOCK;
        pack_block(at, BLOCK * width, width, inputs, in, outputs, out, w, taps, tap_offsets);
    }
}
