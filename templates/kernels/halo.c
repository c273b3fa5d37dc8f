/* Writes the zeros around each image of a stored tensor; y is its first pixel. Threads share the images' rows. */
static void zero_halo(float *y, int images, int rows, int top, int bottom, int left, int right, ptrdiff_t image_stride,
                      ptrdiff_t row_stride, ptrdiff_t block_stride, int thread, int threads)
{
    const int all = images * (top + rows + bottom);
    for (int unit = (int)((int64_t)all * thread / threads); unit < (int)((int64_t)all * (thread + 1) / threads); unit++) {
        const int row = unit % (top + rows + bottom) - top;
        float *at = y + unit / (top + rows + bottom) * image_stride + row * row_stride - left * BLOCK;
        if (row < 0 || row >= rows) {
            for (ptrdiff_t i = 0; i < row_stride; i++) at[i] = 0.0f;
            continue;
        }
        for (float *block = at; block + block_stride <= at + row_stride; block += block_stride) {
            for (int i = 0; i < left * BLOCK; i++) block[i] = 0.0f;
            for (ptrdiff_t i = block_stride - right * BLOCK; i < block_stride; i++) block[i] = 0.0f;
        }
    }
}
