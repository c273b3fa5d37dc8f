/* Convolution that reads the caller's image, planar [image][channel][row][column]; any kernel, stride and padding.
 *
 * Few channels (1 to 4) would waste most of a block of 16, so the taps of one row serve as lanes instead: the KH input rows
 * that an output row needs are staged, zero padded, as [column][channel], where the KW x CHANNELS inputs of a pixel's tap row
 * are one contiguous run. Then the register tile of the other convolutions does the rest. The staged rows form a ring:
 * going down one output row brings in STRIDE new ones. A Focus stem is this with a 6 x 6 kernel, stride 2, padding 2.
 *
 * Weights are packed as [strip][tap row][tap column][channel][outputs of the strip]. Output: the blocked layout.
 *
 * Preconditions. w, bias, r, y and their strides are multiples of 64 bytes; y overlaps neither r nor the image. `scratch`
 * is private to this thread: KH * ((OUT_COLS - 1) * STRIDE + KW) * CHANNELS floats.
 *
 * Holes. CHANNELS, IN_ROWS, IN_COLS: the image. STRIDE, PAD_TOP, PAD_LEFT, KH, KW: the convolution. IMAGES, OUT_ROWS,
 * OUT_COLS, OUT_BLOCKS: the output. TILE_COLS, STRIP: the register tile, pixels and blocks of outputs. Y_IMAGE, Y_ROW,
 * Y_BLOCK, R_IMAGE, R_ROW, R_BLOCK: strides of y and r. EPILOGUE: statements on the vector v; in scope are bias, phase
 * (index into a table [row parity][column parity][output]), channel, and r + residual, where the residual of v lies.
 */

/* @NAME@: @IMAGES@ x @OUT_ROWS@ x @OUT_COLS@ outputs in @OUT_BLOCKS@ blocks, @KH@ x @KW@ taps, stride @STRIDE@. */

/* Writes image row `from` (zeros if it lies outside) to `to` as [column][channel]. */
static void @NAME@_stage(const float *restrict image, int from, float *restrict to)
{
    enum { WIDTH = (@OUT_COLS@ - 1) * @STRIDE@ + @KW@, LEFT = @PAD_LEFT@ < WIDTH ? @PAD_LEFT@ : WIDTH };
    enum { USED = LEFT + @IN_COLS@ < WIDTH ? @IN_COLS@ : WIDTH - LEFT }; /* columns that the kernel reaches */
    if (from < 0 || from >= @IN_ROWS@) {
        for (int i = 0; i < WIDTH * @CHANNELS@; i++) to[i] = 0.0f;
        return;
    }
    for (int i = 0; i < LEFT * @CHANNELS@; i++) to[i] = 0.0f;
    const float *row = image + from * (ptrdiff_t)@IN_COLS@;
    for (int i = 0; i < USED; i++) {
        UNROLL
        for (int c = 0; c < @CHANNELS@; c++)
            to[(LEFT + i) * @CHANNELS@ + c] = row[c * (ptrdiff_t)(@IN_ROWS@ * @IN_COLS@) + i];
    }
    for (int i = (LEFT + USED) * @CHANNELS@; i < WIDTH * @CHANNELS@; i++) to[i] = 0.0f;
}

/* Finishes a tile: the epilogue on its sums, [pixel][output], and the store. A function of its own, so that the epilogue's
 * constants do not take registers from the accumulators. */
OUTLINE void @NAME@_finish(const vec *sums, const int cols, const int blocks, const float *restrict bias,
                           const float *restrict r, float *restrict y, const int image, const int row, const int col,
                           const int first)
{
    for (int b = first; b < first + blocks; b++) {
        float *line = y + image * (ptrdiff_t)@Y_IMAGE@ + row * (ptrdiff_t)@Y_ROW@ + b * (ptrdiff_t)@Y_BLOCK@ + col * BLOCK;
        @LINE@
        ROLLED
        for (int j = 0; j < cols; j++) {
            UNROLL
            for (int n = 0; n < VECTORS; n++) {
                vec v = sums[(j * blocks + b - first) * VECTORS + n];
                @EPILOGUE@
                PUT(line + j * BLOCK + n * VL, v);
            }
        }
    }
    (void)bias, (void)r;
}

/* One tile of cols pixels and `blocks` blocks of outputs. The first two arguments are literals. */
INLINE void @NAME@_tile(const int cols, const int blocks, const float *ring, const float *w, const float *restrict bias,
                        const float *restrict r, float *restrict y, const int image, const int row, const int col,
                        const int block)
{
    enum { WIDTH = (@OUT_COLS@ - 1) * @STRIDE@ + @KW@ };
    vec acc[@TILE_COLS@ * @STRIP@ * VECTORS];
    const int vectors = blocks * VECTORS;
    UNROLL
    for (int i = 0; i < cols; i++) {
        UNROLL
        for (int n = 0; n < vectors; n++) acc[i * vectors + n] = AT(bias + block * BLOCK + n * VL);
    }
    ROLLED
    for (int i = 0; i < blocks; i++) {
        UNROLL
        for (int j = 0; j < cols; j++)
            PREFETCH_STORE(y + image * (ptrdiff_t)@Y_IMAGE@ + row * (ptrdiff_t)@Y_ROW@ +
                           (block + i) * (ptrdiff_t)@Y_BLOCK@ + (col + j) * BLOCK);
    }
    ROLLED
    for (int ky = 0; ky < @KH@; ky++) {
        const float *p = ring + (row * @STRIDE@ + ky) % @KH@ * (WIDTH * @CHANNELS@) + col * @STRIDE@ * @CHANNELS@;
        w = multiply(acc, 1, cols, vectors, p, 0, @STRIDE@ * @CHANNELS@, 1, @KW@ * @CHANNELS@, w, 0);
    }

    vec sums[@TILE_COLS@ * @STRIP@ * VECTORS];
    UNROLL
    for (int i = 0; i < cols * vectors; i++) sums[i] = acc[i];
    @NAME@_finish(sums, cols, blocks, bias, r, y, image, row, col, block);
}

/* One output row of one strip of `blocks` blocks. */
INLINE void @NAME@_strip(const int blocks, const float *ring, const float *w, const float *restrict bias,
                         const float *restrict r, float *restrict y, const int image, const int row, const int block)
{
    int col = 0;
    for (; col + @TILE_COLS@ <= @OUT_COLS@; col += @TILE_COLS@)
        @NAME@_tile(@TILE_COLS@, blocks, ring, w, bias, r, y, image, row, col, block);
    if (@OUT_COLS@ % @TILE_COLS@ > 0)
        @NAME@_tile(@OUT_COLS@ % @TILE_COLS@, blocks, ring, w, bias, r, y, image, row, col, block);
}

/* Computes the share of thread `thread` of `threads`: an equal share of the output rows. */
OUTLINE void @NAME@(const float *restrict images, float *restrict scratch, const float *restrict w,
                    const float *restrict bias, const float *restrict r, float *restrict y, int thread, int threads)
{
    enum {
        WIDTH = (@OUT_COLS@ - 1) * @STRIDE@ + @KW@,
        STRIPS = (@OUT_BLOCKS@ + @STRIP@ - 1) / @STRIP@,
        LAST = @OUT_BLOCKS@ % @STRIP@, /* blocks of the last strip, if it is a narrower one */
        K = @KH@ * @KW@ * @CHANNELS@,
        UNITS = @IMAGES@ * @OUT_ROWS@
    };
    const int first = (int)((int64_t)UNITS * thread / threads), end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = first; unit < end; unit++) {
        const int image = unit / @OUT_ROWS@, row = unit % @OUT_ROWS@;
        const float *of = images + image * (ptrdiff_t)(@CHANNELS@ * @IN_ROWS@ * @IN_COLS@);
        const int top = row * @STRIDE@, have = unit == first || row == 0 || @STRIDE@ > @KH@ ? 0 : @KH@ - @STRIDE@;
        for (int i = top + have; i < top + @KH@; i++)
            @NAME@_stage(of, i - @PAD_TOP@, scratch + i % @KH@ * (WIDTH * @CHANNELS@));
        for (int strip = 0; strip < STRIPS; strip++) {
            const float *weights = w + strip * (ptrdiff_t)(K * @STRIP@ * BLOCK);
            if (LAST > 0 && strip == STRIPS - 1)
                @NAME@_strip(LAST > 0 ? LAST : 1, scratch, weights, bias, r, y, image, row, strip * @STRIP@);
            else
                @NAME@_strip(@STRIP@, scratch, weights, bias, r, y, image, row, strip * @STRIP@);
        }
    }
}
