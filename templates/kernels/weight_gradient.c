/* Gradient of a convolution's weight: dW[o][i][ky][kx] = sum over images and pixels of dy[o] x[i], x at the tap's place; and of
 * its bias, sum dy[o].
 *
 * A unit of work is a block of 16 inputs, a strip of STRIP blocks of outputs and a chunk of the images. Its sums, [tap][16
 * inputs][outputs of the strip], lie in the first-level cache; for GROUP rows of pixels at a time, and each tap, TILE inputs x
 * the strip's vectors are in registers. So each sum is that of its pixels in one order; where there are several chunks, they
 * wait in scratch and are added up in order. No result depends on the number of threads.
 *
 * Layout and preconditions as for the direct convolution: x[s] points at what output (image 0, row 0, column 0) reads at tap
 * (0, 0), lane 0 of segment s. dw is as PyTorch has it, (outputs, inputs, KH, KW).
 *
 * Holes. IMAGES, OUT_ROWS, OUT_COLS, OUT_BLOCKS, OUTPUTS: the result of the convolution; KH, KW; INPUTS: of the weight;
 * IN_BLOCKS and CHANNELS: for each block of inputs {channels, the weight's input of the first, and from one to the next};
 * STRIP, TILE, GROUP, CHUNKS; G_IMAGE, G_ROW, G_BLOCK: strides of dy; SEGMENTS: a line for each run of segments, as the direct
 * convolution has them, SEGMENT(first, count, blocks of inputs, step from block to block, from tap row to tap row, tap column
 * to tap column, output row to output row, output column to output column, image to image, upsampling). BIAS: whether db is
 * wanted. scratch: if CHUNKS > 1, IN_BLOCKS * strips * CHUNKS * KH * KW * 16 * STRIP * 16 floats.
 */

/* @NAME@: @OUTPUTS@ x @INPUTS@ x @KH@ x @KW@ from @IMAGES@ x @OUT_ROWS@ x @OUT_COLS@ pixels. */

enum { @NAME@_STRIPS = (@OUT_BLOCKS@ + @STRIP@ - 1) / @STRIP@, @NAME@_LAST = @OUT_BLOCKS@ % @STRIP@ };
static const struct { int count, first, stride; } @NAME@_inputs[@IN_BLOCKS@] = {@CHANNELS@};

/* sums[input][output] += x[pixel][input] dy[pixel][output] for TILE inputs over rows [row, stop). The literal arguments are
 * blocks and repeat. */
INLINE void @NAME@_tile(float *restrict sums, const int blocks, const float *restrict x, const ptrdiff_t row_step,
                        const ptrdiff_t pixel_step, const int repeat, const float *restrict dy, const int row, const int stop)
{
    const int vectors = blocks * VECTORS;
    vec acc[@TILE@ * @STRIP@ * VECTORS];
    UNROLL
    for (int i = 0; i < @TILE@; i++) {
        UNROLL
        for (int v = 0; v < vectors; v++) acc[i * vectors + v] = AT(sums + i * blocks * BLOCK + v * VL);
    }
    for (int r = row; r < stop; r++) {
        const float *p = x + r / repeat * row_step, *g = dy + r * (ptrdiff_t)@G_ROW@;
        UNROLL_BY_2
        for (int col = 0; col < @OUT_COLS@; col++) {
            vec d[@STRIP@ * VECTORS];
            UNROLL
            for (int v = 0; v < vectors; v++)
                d[v] = AT(g + v / VECTORS * (ptrdiff_t)@G_BLOCK@ + col * BLOCK + v % VECTORS * VL);
            UNROLL
            for (int i = 0; i < @TILE@; i++) {
                const float s = p[col / repeat * pixel_step + i];
                UNROLL
                for (int v = 0; v < vectors; v++) acc[i * vectors + v] += s * d[v];
            }
        }
    }
    UNROLL
    for (int i = 0; i < @TILE@; i++) {
        UNROLL
        for (int v = 0; v < vectors; v++) PUT(sums + i * blocks * BLOCK + v * VL, acc[i * vectors + v]);
    }
}

/* Sums of one block of inputs and one strip over the images [low, high). */
INLINE void @NAME@_block(float *restrict sums, const int blocks, const float *x, const float *dy, const int low, const int high,
                         const ptrdiff_t tap_row, const ptrdiff_t tap_col, const ptrdiff_t row_step, const ptrdiff_t pixel_step,
                         const ptrdiff_t image_step, const int repeat)
{
    for (int image = low; image < high; image++) {
        for (int row = 0; row < @OUT_ROWS@; row += @GROUP@) {
            const int stop = row + @GROUP@ < @OUT_ROWS@ ? row + @GROUP@ : @OUT_ROWS@;
            for (int ky = 0; ky < @KH@; ky++) {
                for (int kx = 0; kx < @KW@; kx++) {
                    for (int i = 0; i < BLOCK; i += @TILE@)
                        @NAME@_tile(sums + ((ky * @KW@ + kx) * BLOCK + i) * blocks * BLOCK, blocks,
                                    x + image * image_step + ky * tap_row + kx * tap_col + i, row_step, pixel_step, repeat,
                                    dy + image * (ptrdiff_t)@G_IMAGE@, row, stop);
                }
            }
        }
    }
}

/* The same, wherever the block of inputs is. */
INLINE void @NAME@_strip(float *restrict sums, const int blocks, const float *const x[], const float *dy, int block,
                         const int low, const int high)
{
    memset(sums, 0, (size_t)(@KH@ * @KW@ * BLOCK * blocks * BLOCK) * sizeof(float));
#define SEGMENT(from, count, inputs, block_step, ...) \
    if (block >= 0 && block < (count) * (inputs)) \
        @NAME@_block(sums, blocks, x[(from) + block / (inputs)] + block % (inputs) * (ptrdiff_t)(block_step), dy, low, high, \
                     __VA_ARGS__); \
    block -= (count) * (inputs)
    @SEGMENTS@
#undef SEGMENT
}

/* Brings the sums of all chunks into PyTorch's order. */
static void @NAME@_finish(const float *sums, const ptrdiff_t chunk_step, float *dw, const int in_block, const int strip,
                          const int blocks)
{
    for (int o = 0; o < blocks * BLOCK && strip * @STRIP@ * BLOCK + o < @OUTPUTS@; o++) {
        float *to = dw + (strip * @STRIP@ * BLOCK + o) * (ptrdiff_t)(@INPUTS@ * @KH@ * @KW@);
        for (int i = 0; i < @NAME@_inputs[in_block].count; i++) {
            const ptrdiff_t input = @NAME@_inputs[in_block].first + i * @NAME@_inputs[in_block].stride;
            for (int tap = 0; tap < @KH@ * @KW@; tap++) {
                const float *from = sums + (tap * BLOCK + i) * blocks * BLOCK + o;
                float sum = from[0];
                for (int chunk = 1; chunk < @CHUNKS@; chunk++) sum += from[chunk * chunk_step];
                to[input * (@KH@ * @KW@) + tap] = sum;
            }
        }
    }
}

static void @NAME@_bias(const float *dy, float *db, int part, int parts)
{
    const int end = (int)((int64_t)@OUT_BLOCKS@ * (part + 1) / parts);
    for (int block = (int)((int64_t)@OUT_BLOCKS@ * part / parts); block < end; block++) {
        double sums[BLOCK] = {0};
        for (int line = 0; line < @IMAGES@ * @OUT_ROWS@; line++) {
            const float *from = dy + line / @OUT_ROWS@ * (ptrdiff_t)@G_IMAGE@ + line % @OUT_ROWS@ * (ptrdiff_t)@G_ROW@ +
                                block * (ptrdiff_t)@G_BLOCK@;
            for (int i = 0; i < @OUT_COLS@ * BLOCK; i++) sums[i % BLOCK] += from[i];
        }
        for (int c = 0; c < BLOCK && block * BLOCK + c < @OUTPUTS@; c++) db[block * BLOCK + c] = (float)sums[c];
    }
}

static void @NAME@(const float *const x[], const float *dy, float *dw, float *db, float *scratch, int part, int parts)
{
    enum { UNITS = @IN_BLOCKS@ * @NAME@_STRIPS * @CHUNKS@, SUMS = @KH@ * @KW@ * BLOCK * @STRIP@ * BLOCK };
    const int end = (int)((int64_t)UNITS * (part + 1) / parts);
    for (int unit = (int)((int64_t)UNITS * part / parts); unit < end; unit++) {
        const int chunk = unit % @CHUNKS@, in_block = unit / @CHUNKS@ % @IN_BLOCKS@, strip = unit / (@CHUNKS@ * @IN_BLOCKS@);
        const int low = @IMAGES@ * chunk / @CHUNKS@, high = @IMAGES@ * (chunk + 1) / @CHUNKS@;
        const float *g = dy + strip * @STRIP@ * (ptrdiff_t)@G_BLOCK@;
        const int narrow = @NAME@_LAST > 0 && strip == @NAME@_STRIPS - 1;
        _Alignas(64) float near[SUMS];
        float *sums = @CHUNKS@ > 1 ? scratch + unit * (ptrdiff_t)SUMS : near;
        if (narrow)
            @NAME@_strip(sums, @NAME@_LAST > 0 ? @NAME@_LAST : 1, x, g, in_block, low, high);
        else
            @NAME@_strip(sums, @STRIP@, x, g, in_block, low, high);
        if (@CHUNKS@ == 1) @NAME@_finish(sums, 0, dw, in_block, strip, narrow ? @NAME@_LAST : @STRIP@);
    }
    if (@CHUNKS@ > 1) {
        BARRIER
        const int last = (int)((int64_t)@IN_BLOCKS@ * @NAME@_STRIPS * (part + 1) / parts);
        for (int unit = (int)((int64_t)@IN_BLOCKS@ * @NAME@_STRIPS * part / parts); unit < last; unit++) {
            const int strip = unit / @IN_BLOCKS@, narrow = @NAME@_LAST > 0 && strip == @NAME@_STRIPS - 1;
            @NAME@_finish(scratch + unit * (ptrdiff_t)@CHUNKS@ * SUMS, SUMS, dw, unit % @IN_BLOCKS@, strip,
                          narrow ? @NAME@_LAST : @STRIP@);
        }
    }
    if (@BIAS@) @NAME@_bias(dy, db, part, parts);
    (void)scratch, (void)db;
}
