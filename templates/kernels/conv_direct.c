/* @NAME@: direct convolution, blocked layout.
 *
 * Layout. A stored tensor is [image][row][block][column][16]: 16 channels lie together, rows are outermost, and a halo of
 * zeros around it stands for the padding, so that no border is ever tested. Strides are in floats.
 *
 * Algorithm. A register tile holds TILE_ROWS x TILE_COLS pixels of one strip (STRIP blocks of 16 output channels). Its
 * accumulators start from the bias, run over the whole reduction (segment, block, tap row, tap column, lane) and are
 * stored once, through the epilogue. The weights are packed in that very order, so each tile reads its strip's weights
 * as one forward stream: [strip][segment][block][tap row][tap column][16 lanes][outputs of the strip].
 * Each output value is summed in that order by one thread: it does not depend on tile, part or parts.
 *
 * Preconditions. x[s] points at what output (image 0, row 0, column 0) reads at tap (0, 0), lane 0 of segment s: first
 * block, phase and padding are already in it. All pointers are aligned to 64 bytes, likewise all strides. Halos hold
 * zeros; padded lanes hold finite numbers and meet zero weights. y overlaps neither x nor r.
 */

/* One tile of rows x cols pixels and `blocks` blocks of outputs, its first pixel at (row, col) of the image and its first
 * output at `block`. The first three arguments are literals. */
INLINE void @NAME@_tile(const int rows, const int cols, const int blocks, const float *const x[], const float *w,
                        const float *restrict bias, const float *restrict r, float *restrict y, const int image,
                        const int row, const int col, const int block, const int ahead)
{
    vec acc[@TILE_ROWS@ * @TILE_COLS@ * @STRIP@ * VECTORS];
    const int vectors = blocks * VECTORS;
    UNROLL
    for (int i = 0; i < rows * cols; i++) {
        UNROLL
        for (int n = 0; n < vectors; n++) acc[i * vectors + n] = AT(bias + block * BLOCK + n * VL);
    }

/* Adds x[first] .. x[first + count - 1], which differ in nothing but their origin. */
#define ACCUMULATE(first, count, inputs, block_step, tap_row, tap_col, row_step, pixel_step, image_step, repeat)         \
    ROLLED                                                                                                               \
    for (int s = first; s < first + count; s++) {                                                                        \
        const float *p = x[s] + image * (ptrdiff_t)(image_step) + row / repeat * (ptrdiff_t)(row_step) +                 \
                         col / repeat * (ptrdiff_t)(pixel_step);                                                         \
        ROLLED                                                                                                           \
        for (int b = 0; b < inputs; b++, p += block_step) {                                                              \
            if (ahead > 0) {                                                                                             \
                UNROLL                                                                                                   \
                for (int j = 0; j < cols; j += repeat)                                                                   \
                    PREFETCH(p, ahead * (ptrdiff_t)(row_step) + (@KH@ - 1) * tap_row + j / repeat * pixel_step, 1);      \
            }                                                                                                            \
            ROLLED                                                                                                       \
            for (int ky = 0; ky < @KH@; ky++) {                                                                          \
                ROLLED                                                                                                   \
                for (int kx = 0; kx < @KW@; kx++)                                                                        \
                    w = multiply(acc, rows, cols, vectors, p + ky * (ptrdiff_t)(tap_row) + kx * (ptrdiff_t)(tap_col),    \
                                 row_step, pixel_step, repeat, BLOCK, w, @WEIGHTS_AHEAD@);                               \
            }                                                                                                            \
        }                                                                                                                \
    }
    @SEGMENTS@
#undef ACCUMULATE

    /* Out of the registers, so that the epilogue is one short loop. */
    vec sums[@TILE_ROWS@ * @TILE_COLS@ * @STRIP@ * VECTORS];
    UNROLL
    for (int i = 0; i < rows * cols * vectors; i++) sums[i] = acc[i];
    ROLLED
    for (int i = 0; i < rows; i++) {
        ROLLED
        for (int b = 0; b < blocks; b++) {
            ROLLED
            for (int j = 0; j < cols; j++) {
                UNROLL
                for (int n = 0; n < VECTORS; n++) {
                    const int channel = (block + b) * BLOCK + n * VL;
                    const int phase = ((row + i) % 2 * 2 + (col + j) % 2) * @OUT_BLOCKS@ * BLOCK + channel;
                    const ptrdiff_t residual = image * (ptrdiff_t)@R_IMAGE@ + (row + i) * (ptrdiff_t)@R_ROW@ +
                                               (block + b) * (ptrdiff_t)@R_BLOCK@ + (col + j) * BLOCK + n * VL;
                    vec v = sums[((i * cols + j) * blocks + b) * VECTORS + n];
                    (void)phase, (void)residual;
                    @EPILOGUE@
                    PUT(y + image * (ptrdiff_t)@Y_IMAGE@ + (row + i) * (ptrdiff_t)@Y_ROW@ +
                            (block + b) * (ptrdiff_t)@Y_BLOCK@ + (col + j) * BLOCK + n * VL, v);
                }
            }
        }
    }
    (void)r;
}

/* Rows [row, end) of one strip of `blocks` blocks. */
INLINE void @NAME@_strip(const int blocks, const float *const x[], const float *w, const float *restrict bias,
                         const float *restrict r, float *restrict y, const int image, int row, const int end,
                         const int block, const int ahead)
{
    for (; row + @TILE_ROWS@ <= end; row += @TILE_ROWS@) {
        int col = 0;
        for (; col + @TILE_COLS@ <= @OUT_COLS@; col += @TILE_COLS@)
            @NAME@_tile(@TILE_ROWS@, @TILE_COLS@, blocks, x, w, bias, r, y, image, row, col, block, ahead);
        if (@OUT_COLS@ % @TILE_COLS@ > 0)
            @NAME@_tile(@TILE_ROWS@, @OUT_COLS@ % @TILE_COLS@, blocks, x, w, bias, r, y, image, row, col, block, ahead);
    }
    if (@OUT_ROWS@ % @TILE_ROWS@ > 0 && row < end)
        @NAME@_tile(@OUT_ROWS@ % @TILE_ROWS@, @TILE_COLS@, blocks, x, w, bias, r, y, image, row, 0, block, 0);
}

/* Computes part `part` of `parts`: an equal share of the units, a unit being UNIT_ROWS rows of one strip. */
static void @NAME@(const float *const x[], const float *restrict w, const float *restrict bias, const float *restrict r,
                   float *restrict y, int part, int parts)
{
    enum {
        BANDS = (@OUT_ROWS@ + @UNIT_ROWS@ - 1) / @UNIT_ROWS@,
        STRIPS = (@OUT_BLOCKS@ + @STRIP@ - 1) / @STRIP@,
        LAST = @OUT_BLOCKS@ % @STRIP@, /* blocks of the last strip, if it is a narrower one */
        UNITS = @IMAGES@ * BANDS * STRIPS
    };
    const int end = (int)((int64_t)UNITS * (part + 1) / parts);
    for (int unit = (int)((int64_t)UNITS * part / parts); unit < end; unit++) {
        const int strip = @STRIP_MAJOR@ ? unit / (@IMAGES@ * BANDS) : unit % STRIPS;
        const int band = @STRIP_MAJOR@ ? unit % (@IMAGES@ * BANDS) : unit / STRIPS;
        const int image = band / BANDS, row = band % BANDS * @UNIT_ROWS@;
        const int stop = row + @UNIT_ROWS@ < @OUT_ROWS@ ? row + @UNIT_ROWS@ : @OUT_ROWS@;
        const int ahead = @STRIP_MAJOR@ || strip == 0 ? @ROWS_AHEAD@ : 0;
        const float *weights = w + strip * (ptrdiff_t)(@K@ * @STRIP@ * BLOCK);
        if (LAST > 0 && strip == STRIPS - 1)
            @NAME@_strip(LAST > 0 ? LAST : 1, x, weights, bias, r, y, image, row, stop, strip * @STRIP@, ahead);
        else
            @NAME@_strip(@STRIP@, x, weights, bias, r, y, image, row, stop, strip * @STRIP@, ahead);
    }
}
