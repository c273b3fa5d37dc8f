/* [output][input][tap row][tap column] -> [strip][row][column][channel][strip * 16 outputs], where a space-to-depth by `scale`
 * before it makes input first[phase] + channel * stride[phase] at tap (i, j) the image's channel at tap (scale * i + r,
 * scale * j + q), with phase = r * scale + q. */
static void pack_image(float *to, int out_blocks, int strip, int channels, int scale, const int *first_input,
                         const int *input_stride, int tap_rows, int tap_cols, const float *w, int first, int outputs,
                         const batch_norm *norm, int thread, int threads)
{
    const int rows = tap_rows * scale, cols = tap_cols * scale, inputs = channels * scale * scale;
    for (int o = share(outputs, thread, threads); o < share(outputs, thread + 1, threads); o++) {
        const int out = first + o, s = out / (strip * 16), left = out_blocks - s * strip;
        const int width = (left < strip ? left : strip) * 16;
        const double factor = norm_scale(norm, o);
        float *at = to + (ptrdiff_t)s * rows * cols * channels * strip * 16 + (out - s * strip * 16);
        for (int row = 0; row < rows; row++) {
            for (int col = 0; col < cols; col++) {
                const int phase = row % scale * scale + col % scale;
                for (int c = 0; c < channels; c++, at += width) {
                    const int in = first_input[phase] + c * input_stride[phase];
                    const ptrdiff_t tap = row / scale * tap_cols + col / scale;
                    *at = (float)(w[((ptrdiff_t)o * inputs + in) * tap_rows * tap_cols + tap] * factor);
                }
            }
        }
    }
}
