/* Pixels side by side: x -> [block][image][row][column][16], `apart` floats from block to block. Parts share the rows. */
static void pack_pixels(const float *x, float *to, const int images, const int rows, const int cols, const int blocks,
                        const ptrdiff_t image_step, const ptrdiff_t row_step, const ptrdiff_t block_step,
                        const ptrdiff_t pixel_step, const ptrdiff_t apart, int part, int parts)
{
    const int last = (int)((int64_t)images * rows * (part + 1) / parts);
    for (int row = (int)((int64_t)images * rows * part / parts); row < last; row++) {
        const float *from = x + row / rows * image_step + row % rows * row_step;
        float *at = to + row * (ptrdiff_t)cols * BLOCK;
        for (int block = 0; block < blocks; block++, from += block_step, at += apart) {
            for (int col = 0; col < cols; col++) {
                for (int n = 0; n < BLOCK; n += VL) PUT(at + col * BLOCK + n, AT(from + col * pixel_step + n));
            }
        }
    }
}
