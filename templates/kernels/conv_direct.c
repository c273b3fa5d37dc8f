/* Direct convolution, blocked layout.
 *
 * Layout. A stored tensor is [image][row][block][column][16]: 16 channels lie together, rows are outermost, and a halo of
 * zeros around it stands for the padding, so that no border is ever tested. Strides are in floats.
 *
 * Algorithm. A register tile holds TILE_ROWS x TILE_COLS pixels of one strip (STRIP blocks of 16 output channels). Its
 * accumulators start from the bias, or from the sums of another convolution, run over the whole reduction (segment, block,
 * tap row, tap column, lane) and are stored once, through the epilogue. The weights are packed in that very order, so each
 * tile reads its strip's weights as one forward stream: [strip][segment][block][tap row][tap column][16 lanes][outputs of
 * the strip]. Each output value is summed in that order by one thread: it does not depend on tile, thread or threads.
 *
 * Preconditions. x[s] points at what output (image 0, row 0, column 0) reads at tap (0, 0), lane 0 of segment s: first
 * block, phase and padding are already in it. All pointers and all strides are multiples of 64 bytes. Halos hold zeros;
 * padded lanes hold finite numbers and meet zero weights. y overlaps neither x nor r. The bias is OUT_BLOCKS * 16 floats.
 * TILE_ROWS is 1 unless TILE_COLS = OUT_COLS; UNIT_ROWS is a multiple of TILE_ROWS.
 *
 * Holes. IMAGES, OUT_ROWS, OUT_COLS, OUT_BLOCKS: the output. KH, KW: taps. K: inputs reduced, all blocks, lanes and
 * taps. TILE_ROWS, TILE_COLS, STRIP: the tile (the last strip and the last tile of a row or column may be smaller).
 * UNIT_ROWS, STRIP_MAJOR: rows of a work unit, and whether units run strip by strip. ROWS_AHEAD, WEIGHTS_AHEAD: prefetch
 * distances in output rows and floats; 0 is none. STREAM: whether the output goes past the caches. Y_IMAGE, Y_ROW, Y_COL,
 * R_IMAGE, R_ROW, R_BLOCK: strides of y and r. Y_BLOCK: where block number `out` of the output begins. START: what sum n of pixel i of the tile starts from, in terms
 * of bias, image, row, col, cols, block and x, in which the tensor that holds the starts, if there is one, follows the
 * segments; it may be upsampled as they may. SEGMENTS: a line for each run of segments that differ in nothing but their
 * origin, ACCUMULATE(first, count, blocks of inputs, step from block to block, from tap row to tap row, tap column to
 * tap column, output row to output row, output column to output column, image to image, and the factor of a nearest
 * upsampling or 1). EPILOGUE: statements on the vector v; in scope are bias, phase (index into a table [row
 * parity][column parity][output]), channel, `to`, where v is stored, and r + residual, where the residual of v lies.
 * STATISTICS_: parameter, argument and statements of a convolution that gathers statistics of what it stores, unit by unit;
 * see statistics.c.
 */

/* @NAME@: @IMAGES@ x @OUT_ROWS@ x @OUT_COLS@ outputs in @OUT_BLOCKS@ blocks, @KH@ x @KW@ taps, @K@ products each. */

/* Adds the inputs of segments x[first] .. x[first + count - 1], which differ in nothing but their origin, to the tile at
 * (row, col) of the image. All steps are literals. Returns the end of the weights read.
 *
 * On the way it prefetches what the tile ROWS_AHEAD rows further down will read for the first time, its lowest tap row:
 * for every period-th block of inputs, so that the strips, which all read the same input, share the work in turns. */
INLINE const float *@NAME@_add(vec *acc, const int rows, const int cols, const int vectors, const float *w,
                               const float *const x[], const int image, const int row, const int col, int *turn,
                               const int period, const int first, const int count, const int inputs,
                               const ptrdiff_t block_step, const ptrdiff_t tap_row, const ptrdiff_t tap_col,
                               const ptrdiff_t row_step, const ptrdiff_t pixel_step, const ptrdiff_t image_step,
                               const int repeat)
{
    ROLLED
    for (int s = first; s < first + count; s++) {
        const float *p = x[s] + image * image_step + row / repeat * row_step + col / repeat * pixel_step;
        ROLLED
        for (int b = 0; b < inputs; b++, p += block_step) {
            if (@ROWS_AHEAD@ > 0 && (*turn)-- == 0) {
                *turn = period - 1;
                UNROLL
                for (int j = 0; j < cols; j += repeat)
                    PREFETCH(p, @ROWS_AHEAD@ * row_step + (@KH@ - 1) * tap_row + j / repeat * pixel_step, 1);
            }
            ROLLED
            for (int ky = 0; ky < @KH@; ky++) {
                ROLLED
                for (int kx = 0; kx < @KW@; kx++)
                    w = multiply(acc, rows, cols, vectors, p + ky * tap_row + kx * tap_col, row_step, pixel_step, repeat,
                                 BLOCK, w, @WEIGHTS_AHEAD@);
            }
        }
    }
    return w;
}

/* Finishes a tile: the epilogue on its sums, [pixel][output], and the store. A function of its own, so that the epilogue's
 * constants do not take registers from the accumulators. */
OUTLINE void @NAME@_finish(const vec *sums, const int rows, const int cols, const int blocks, const float *restrict bias,
                           const float *restrict r, float *restrict y, const int image, const int row, const int col,
                           const int block@STATISTICS_PARAMETER@)
{
    @STATISTICS_ADD@
    for (int i = 0; i < rows; i++) {
        for (int b = 0; b < blocks; b++) {
            const int out = block + b;
            ROLLED
            for (int j = 0; j < cols; j++) {
                UNROLL
                for (int n = 0; n < VECTORS; n++) {
                    const int channel = out * BLOCK + n * VL;
                    const int phase = ((row + i) % 2 * 2 + (col + j) % 2) * (@OUT_BLOCKS@ * BLOCK) + channel;
                    const ptrdiff_t residual = image * (ptrdiff_t)@R_IMAGE@ + (row + i) * (ptrdiff_t)@R_ROW@ +
                                               out * (ptrdiff_t)@R_BLOCK@ + (col + j) * BLOCK + n * VL;
                    float *to = y + image * (ptrdiff_t)@Y_IMAGE@ + (row + i) * (ptrdiff_t)@Y_ROW@ + @Y_BLOCK@ +
                                (col + j) * @Y_COL@ + n * VL;
                    vec v = sums[((i * cols + j) * blocks + b) * VECTORS + n];
                    (void)phase, (void)residual;
                    @EPILOGUE@
                    if (@STREAM@)
                        STREAM(to, v);
                    else
                        PUT(to, v);
                }
            }
        }
    }
    (void)bias, (void)r;
}

/* One tile of rows x cols pixels and `blocks` blocks of outputs, its first pixel at (row, col) of the image and its first
 * output at `block`. The first three arguments are literals. */
INLINE void @NAME@_tile(const int rows, const int cols, const int blocks, const float *const x[], const float *w,
                        const float *restrict bias, const float *restrict r, float *restrict y, const int image,
                        const int row, const int col, const int block, int turn@STATISTICS_PARAMETER@)
{
    enum { PERIOD = @STRIP_MAJOR@ ? 1 : (@OUT_BLOCKS@ + @STRIP@ - 1) / @STRIP@ };
    const int vectors = blocks * VECTORS;
    vec acc[@TILE_ROWS@ * @TILE_COLS@ * @STRIP@ * VECTORS];
    UNROLL
    for (int i = 0; i < rows * cols; i++) {
        UNROLL
        for (int n = 0; n < vectors; n++) acc[i * vectors + n] = @START@;
    }
    ROLLED
    for (int i = 0; i < (@STREAM@ ? 0 : rows * blocks); i++) {
        const int out = block + i % blocks;
        UNROLL
        for (int j = 0; j < cols; j++)
            PREFETCH_STORE(y + image * (ptrdiff_t)@Y_IMAGE@ + (row + i / blocks) * (ptrdiff_t)@Y_ROW@ + @Y_BLOCK@ +
                           (col + j) * @Y_COL@);
    }

/* first, count, inputs, block_step, tap_row, tap_col, row_step, pixel_step, image_step, repeat */
#define ACCUMULATE(...) w = @NAME@_add(acc, rows, cols, vectors, w, x, image, row, col, &turn, PERIOD, __VA_ARGS__)
    @SEGMENTS@
#undef ACCUMULATE

    vec sums[@TILE_ROWS@ * @TILE_COLS@ * @STRIP@ * VECTORS];
    UNROLL
    for (int i = 0; i < rows * cols * vectors; i++) sums[i] = acc[i];
    @NAME@_finish(sums, rows, cols, blocks, bias, r, y, image, row, col, block@STATISTICS_ARGUMENT@);
}

/* Rows [row, end) of one strip of `blocks` blocks. */
INLINE void @NAME@_strip(const int blocks, const float *const x[], const float *w, const float *restrict bias,
                         const float *restrict r, float *restrict y, const int image, int row, const int end,
                         const int block, const int turn@STATISTICS_PARAMETER@)
{
    for (; row + @TILE_ROWS@ <= end; row += @TILE_ROWS@) {
        int col = 0;
        for (; col + @TILE_COLS@ <= @OUT_COLS@; col += @TILE_COLS@)
            @NAME@_tile(@TILE_ROWS@, @TILE_COLS@, blocks, x, w, bias, r, y, image, row, col, block, turn@STATISTICS_ARGUMENT@);
        if (@OUT_COLS@ % @TILE_COLS@ > 0)
            @NAME@_tile(@TILE_ROWS@, @OUT_COLS@ % @TILE_COLS@, blocks, x, w, bias, r, y, image, row, col, block, turn@STATISTICS_ARGUMENT@);
    }
    if (@OUT_ROWS@ % @TILE_ROWS@ > 0 && row < end)
        @NAME@_tile(@OUT_ROWS@ % @TILE_ROWS@, @TILE_COLS@, blocks, x, w, bias, r, y, image, row, 0, block, turn@STATISTICS_ARGUMENT@);
}

/* Computes the share of thread `thread` of `threads`: an equal share of the units, a unit being UNIT_ROWS rows (a band) of one strip. Units
 * run strip by strip where the weights are the larger stream, else band by band. */
OUTLINE void @NAME@(const float *const x[], const float *restrict w, const float *restrict bias, const float *restrict r,
                    float *restrict y@STATISTICS_SLOTS@, int thread, int threads)
{
    enum {
        BANDS = (@OUT_ROWS@ + @UNIT_ROWS@ - 1) / @UNIT_ROWS@,
        STRIPS = (@OUT_BLOCKS@ + @STRIP@ - 1) / @STRIP@,
        LAST = @OUT_BLOCKS@ % @STRIP@, /* blocks of the last strip, if it is a narrower one */
        UNITS = @IMAGES@ * BANDS * STRIPS
    };
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int strip = @STRIP_MAJOR@ ? unit / (@IMAGES@ * BANDS) : unit % STRIPS;
        const int band = @STRIP_MAJOR@ ? unit % (@IMAGES@ * BANDS) : unit / STRIPS;
        const int image = band / BANDS, row = band % BANDS * @UNIT_ROWS@;
        const int stop = row + @UNIT_ROWS@ < @OUT_ROWS@ ? row + @UNIT_ROWS@ : @OUT_ROWS@;
        const int turn = @STRIP_MAJOR@ ? 0 : strip;
        const float *weights = w + strip * ((ptrdiff_t)@K@ * @STRIP@ * BLOCK);
        @STATISTICS_BEGIN@
        if (LAST > 0 && strip == STRIPS - 1)
            @NAME@_strip(LAST > 0 ? LAST : 1, x, weights, bias, r, y, image, row, stop, strip * @STRIP@, turn@STATISTICS_ARGUMENT@);
        else
            @NAME@_strip(@STRIP@, x, weights, bias, r, y, image, row, stop, strip * @STRIP@, turn@STATISTICS_ARGUMENT@);
        @STATISTICS_END@
    }
    if (@STREAM@) STREAM_FENCE();
}
