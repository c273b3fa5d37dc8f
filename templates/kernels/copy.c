/* @NAME@: writes out what a list of views describes, into blocks or as the caller's planar output.
 *
 * x[s] points at what destination (image 0, row 0, column 0) reads of segment s. Channel c of the segment becomes channel
 * target + c * target_stride. Channels that pad the last block become zeros. Unit of work: a row of the destination.
 */
OUTLINE void @NAME@(const float *const x[], float *restrict y, int thread, int threads)
{
    enum { UNITS = @IMAGES@ * @ROWS@ };
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int row = unit % @ROWS@, image = unit / @ROWS@;
        float *to = y + image * (ptrdiff_t)@Y_IMAGE@ + row * (ptrdiff_t)@Y_ROW@;

/* Whole blocks of 16 channels, to block `target` and on. */
#define COPY_BLOCKS(s, blocks, target, x_image, x_row, x_col, x_block, repeat)                                           \
    for (int b = 0; b < blocks; b++) {                                                                                   \
        const float *from = x[s] + image * (ptrdiff_t)(x_image) + row / repeat * (ptrdiff_t)(x_row) +                    \
                            b * (ptrdiff_t)(x_block);                                                                    \
        for (int col = 0; col < @COLS@; col++) {                                                                         \
            UNROLL                                                                                                       \
            for (int n = 0; n < VECTORS; n++)                                                                            \
                PUT(to + (target + b) * (ptrdiff_t)@Y_BLOCK@ + col * @Y_COL@ + n * VL,                                   \
                    AT(from + col / repeat * (ptrdiff_t)(x_col) + n * VL));                                              \
        }                                                                                                                \
    }

/* One channel after the other; channel k = first + c of the source lies at k / 16 * x_block + k % 16 * x_lane. */
#define COPY_LANES(s, channels, first, target, target_stride, x_image, x_row, x_col, x_block, x_lane, repeat)            \
    for (int c = 0; c < channels; c++) {                                                                                 \
        const float *from = x[s] + image * (ptrdiff_t)(x_image) + row / repeat * (ptrdiff_t)(x_row) +                    \
                            (first + c) / BLOCK * (ptrdiff_t)(x_block) + (first + c) % BLOCK * (ptrdiff_t)(x_lane);      \
        const int t = target + c * target_stride;                                                                        \
        float *channel = to + t / BLOCK * (ptrdiff_t)@Y_BLOCK@ + t % BLOCK * (ptrdiff_t)@Y_LANE@;                        \
        for (int col = 0; col < @COLS@; col++) channel[col * (ptrdiff_t)@Y_COL@] = from[col / repeat * (ptrdiff_t)(x_col)]; \
    }
        @SEGMENTS@
#undef COPY_BLOCKS
#undef COPY_LANES

        for (int t = @CHANNELS@; t < @PADDED@; t++) {
            float *channel = to + t / BLOCK * (ptrdiff_t)@Y_BLOCK@ + t % BLOCK * (ptrdiff_t)@Y_LANE@;
            for (int col = 0; col < @COLS@; col++) channel[col * (ptrdiff_t)@Y_COL@] = 0.0f;
        }
    }
}
