/* @NAME@: the gradient of a copy of views: accumulates at each place the gradients of its reads.
 *
 * Layout as in the convolutions. Holes: IMAGES; X_IMAGE, X_ROW, X_BLOCK: strides of the copy's gradient x; SEGMENTS: a line
 * for each view, GATHER(index of the destination, channels, lane of the first, the copy's channel of the first, and from
 * one to the next, rows and columns of the view before upsampling, steps of the destination from image to image, row to
 * row, pixel to pixel and block to block, upsampling factor, 1 to add to what is there).
 */
static void @NAME@_view(const float *x, float *y, const int channels, const int lane, const int target, const int target_step,
                        const int rows, const int cols, const ptrdiff_t image_step, const ptrdiff_t row_step,
                        const ptrdiff_t pixel_step, const ptrdiff_t block_step, const int factor, const int adds, int thread,
                        int threads)
{
    const int units = @IMAGES@ * rows, end = (int)((int64_t)units * (thread + 1) / threads);
    for (int unit = (int)((int64_t)units * thread / threads); unit < end; unit++) {
        const int image = unit / rows, row = unit % rows;
        for (int c = 0; c < channels; c++) {
            const int from = target + c * target_step, to = lane + c;
            const float *in = x + image * (ptrdiff_t)@X_IMAGE@ + row * factor * (ptrdiff_t)@X_ROW@ +
                              from / BLOCK * (ptrdiff_t)@X_BLOCK@ + from % BLOCK;
            float *out = y + image * image_step + row * row_step + to / BLOCK * block_step + to % BLOCK;
            for (int col = 0; col < cols; col++) {
                float sum = 0.0f;
                for (int i = 0; i < factor; i++) {
                    for (int j = 0; j < factor; j++) sum += in[i * (ptrdiff_t)@X_ROW@ + (col * factor + j) * BLOCK];
                }
                out[col * pixel_step] = adds ? out[col * pixel_step] + sum : sum;
            }
        }
    }
}

OUTLINE void @NAME@(const float *x, float *const y[], int thread, int threads)
{
    /* Views may show one place twice: each is finished before the next, of one height by the same thread, otherwise after
     * a barrier. */
#define GATHER(index, ...) @NAME@_view(x, y[index], __VA_ARGS__, thread, threads)
    @SEGMENTS@
#undef GATHER
}
