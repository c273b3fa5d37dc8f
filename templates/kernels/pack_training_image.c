/* As for inference: [output][input][tap row][tap column] -> [strip][row][column][channel][strip * 16 outputs], where a
 * space-to-depth by `scale` before it makes input first[phase] + channel * stride[phase] at tap (i, j) the image's channel at
 * tap (scale * i + r, scale * j + q), with phase = r * scale + q. */
static void pack_image(float *to, int out_blocks, int strip, int channels, int scale, const int *first_input,
                         const int *input_stride, int tap_rows, int tap_cols, const float *w, int outputs, int thread,
                         int threads)
{
    const int rows = tap_rows * scale, cols = tap_cols * scale, inputs = channels * scale * scale, all = out_blocks * BLOCK;
    for (int o = (int)((int64_t)all * thread / threads); o < (int)((int64_t)all * (thread + 1) / threads); o++) {
        const int s = o / (strip * BLOCK), left = out_blocks - s * strip, width = (left < strip ? left : strip) * BLOCK;
        float *at = to + (ptrdiff_t)s * rows * cols * channels * strip * BLOCK + (o - s * strip * BLOCK);
        for (int row = 0; row < rows; row++) {
            for (int col = 0; col < cols; col++) {
                const int phase = row % scale * scale + col % scale;
                for (int c = 0; c < channels; c++, at += width) {
                    const ptrdiff_t in = first_input[phase] + c * input_stride[phase], tap = row / scale * tap_cols + col / scale;
                    *at = o < outputs ? w[(o * (ptrdiff_t)inputs + in) * tap_rows * tap_cols + tap] : 0.0f;
                }
            }
        }
    }
}
