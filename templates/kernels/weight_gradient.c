/* Gradient of a convolution's weights, blocked layout: with s the stride and x the padded input,
 *     dw[o][i][ky][kx] = sum over images, rows and columns of dy[o][row][col] * x[i][row * s + ky][col * s + kx].
 *
 * Algorithm. A register tile holds the gradients of TILE inputs x STRIP vectors of outputs at one tap. Per pixel it takes STRIP
 * vectors of dy, broadcasts TILE lanes of x and multiplies: the same products as a convolution's, with pixels as the
 * reduction. A unit is one block of inputs and one strip of outputs; its gradients at all taps are a slab,
 * [tap row][tap column][16 inputs][outputs of the strip]. Pixels come in bands of BAND rows that stay in a cache while the
 * tile runs over a unit's taps, and while GROUP units take turns: those of ACROSS blocks of inputs come together, strip by strip,
 * so that both the inputs and the outputs of a band are read several times while they are in a cache. What a band adds up to is
 * added to the slab, so sums are short ones and their error small. A finished slab is transposed into PyTorch's order.
 *
 * Threads share the units; each sum is formed by one thread in a fixed order. Where units are few, pixels are cut into CHUNKS equal
 * parts with slabs of their own, which are added in order when all are done: nothing depends on thread or threads.
 *
 * Preconditions. As for the direct convolution: x[s] points at what output (0, 0) reads at tap (0, 0), lane 0 of segment s; halos
 * hold zeros, padded lanes finite numbers. dy is its output's gradient, pointers and strides multiples of 64 bytes. dw[k]: gradient
 * of part k of the outputs, (outputs of the part, INPUTS, KH, KW); db[k]: of its bias, if BIAS. sums: shared, CHUNKS * STRIPS *
 * (IN_BLOCKS + BIAS) * SLAB floats, unused if CHUNKS is 1; scratch: private to the thread, GROUP * SLAB floats, used only then.
 * SLAB = KH * KW * 16 * STRIP * VL, STRIPS = ceil(OUT_BLOCKS * 16 / VL / STRIP). All threads of the team must call it.
 *
 * Holes. IMAGES, OUT_ROWS, OUT_COLS, OUT_BLOCKS: the output. OUTPUTS, INPUTS: real ones, INPUTS those of the weights.
 * STARTS: the first output of each part of the outputs, a list; 0 if there is one. KH, KW: taps. IN_BLOCKS: blocks of
 * inputs of all segments. TILE: 16 or a divisor of it. STRIP: vectors of outputs in a strip (the last may be narrower).
 * BAND, GROUP, ACROSS, CHUNKS: see above; BAND is a number of rows of all images. DY_IMAGE, DY_ROW, DY_BLOCK: strides of dy.
 * FETCH: whether the next band is fetched ahead, for inputs too large to lie in a cache. ADD: whether gradients are added to what
 * dw and db hold. BIAS: whether there is a bias. CHANNELS, TARGETS, TARGET_STRIDES: a list each, with a value for each segment:
 * channel c of it is input TARGET + c * TARGET_STRIDE of the weights.
 * SEGMENTS: as for the direct convolution, ACCUMULATE(first, count, blocks of inputs, step from block to block, from tap
 * row to tap row, tap column to tap column, output row to output row, output column to output column, image to image,
 * and the factor of a nearest upsampling, which divides OUT_ROWS and OUT_COLS, or 1).
 */

/* @NAME@: @OUTPUTS@ x @INPUTS@ x @KH@ x @KW@ weights from @IMAGES@ x @OUT_ROWS@ x @OUT_COLS@ outputs. */

static const int @NAME@_channels[] = {@CHANNELS@};

enum {
    @NAME@_WIDTH = @OUT_BLOCKS@ * VECTORS,
    @NAME@_STRIPS = (@NAME@_WIDTH + @STRIP@ - 1) / @STRIP@,
    @NAME@_LAST = @NAME@_WIDTH % @STRIP@, /* vectors of the last strip, if it is a narrower one */
    @NAME@_BLOCKS = @IN_BLOCKS@ + @BIAS@
};

/* The strip and the block of inputs, or IN_BLOCKS for the bias, of a unit; `across`: the blocks that its strip's units have. */
INLINE void @NAME@_place(const int unit, int *strip, int *block, int *across)
{
    const int begin = unit / (@NAME@_STRIPS * @ACROSS@) * @ACROSS@, at = unit % (@NAME@_STRIPS * @ACROSS@);
    *across = @NAME@_BLOCKS - begin < @ACROSS@ ? @NAME@_BLOCKS - begin : @ACROSS@;
    *strip = at / *across;
    *block = begin + at % *across;
}

/* Fetches columns [from, to) of the output row BAND rows further down: x at its lowest tap row, and dy. */
INLINE void @NAME@_fetch(const int vectors, const float *x, const float *dy, const ptrdiff_t *offset, const int row,
                         const int from, const int to, const ptrdiff_t row_step, const ptrdiff_t pixel_step,
                         const ptrdiff_t image_step, const int repeat)
{
    const int image = (row + @BAND@) / @OUT_ROWS@, at = (row + @BAND@) % @OUT_ROWS@;
    const ptrdiff_t p = image * image_step + at / repeat * row_step;
    const ptrdiff_t d = image * (ptrdiff_t)@DY_IMAGE@ + at * (ptrdiff_t)@DY_ROW@;
    ROLLED
    for (int col = from; col < to; col++) {
        if (x != NULL) PREFETCH(x, p + col / repeat * pixel_step, 1);
        UNROLL
        for (int n = 0; n < vectors; n += VECTORS) {
            if (dy != NULL) PREFETCH(dy, d + offset[n] + col * BLOCK, 1);
        }
    }
}

/* slab[input][vector] += what `inputs` inputs, the first at x, and `vectors` vectors of outputs give at one tap in the output
 * rows [row, end) of all images. Vector n of dy is offset[n] from its first. On the way it fetches columns [from, to) of the
 * next band. All but rows, columns and addresses are literals. */
INLINE void @NAME@_tile(const int inputs, const int vectors, const float *x, const float *dy, const ptrdiff_t *offset,
                        float *slab, const int add, int row, const int end, const float *next_x, const float *next_dy,
                        const int from, const int to, const ptrdiff_t row_step, const ptrdiff_t pixel_step,
                        const ptrdiff_t image_step, const int repeat)
{
    vec acc[@TILE@ * @STRIP@];
    UNROLL
    for (int i = 0; i < inputs * vectors; i++) acc[i] = SPLAT(0.0f);
    ROLLED
    for (; row < end; row++) {
        const int image = row / @OUT_ROWS@, at = row % @OUT_ROWS@;
        const float *p = x + image * image_step + at / repeat * row_step;
        const float *d = dy + image * (ptrdiff_t)@DY_IMAGE@ + at * (ptrdiff_t)@DY_ROW@;
        multiply_pixels(acc, inputs, vectors, p, d, offset, @OUT_COLS@ / repeat, pixel_step, BLOCK, repeat);
        if (@FETCH@)
            @NAME@_fetch(vectors, next_x, next_dy, offset, row, from, to, row_step, pixel_step, image_step, repeat);
    }
    /* A copy: its address goes further, and what has none stays in registers. */
    vec sums[@TILE@ * @STRIP@];
    UNROLL
    for (int i = 0; i < inputs * vectors; i++) sums[i] = acc[i];
    put_sums(slab, sums, inputs * vectors, add);
}

/* The unit of block `block` of those of segments x[first] .. x[first + count - 1], if it is theirs, over rows [row, end). */
INLINE void @NAME@_add(const int vectors, const float *const x[], const float *dy, const ptrdiff_t *offset, float *slab,
                       const int add, const int row, const int end, const int fetch, const int block, const int first,
                       const int count, const int inputs, const ptrdiff_t block_step, const ptrdiff_t tap_row, const ptrdiff_t tap_col,
                       const ptrdiff_t row_step, const ptrdiff_t pixel_step, const ptrdiff_t image_step, const int repeat)
{
    if (block < 0 || block >= count * inputs) return;
    const int segment = first + block / inputs, b = block % inputs, left = @NAME@_channels[segment] - b * BLOCK;
    const int lanes = left < BLOCK ? left : BLOCK;
    const float *p = x[segment] + b * block_step;
    /* The tiles share the columns. */
    const float *next_x = fetch & 1 ? p + (@KH@ - 1) * tap_row : NULL, *next_dy = fetch & 2 ? dy : NULL;
    const int tiles = @KH@ * @KW@ * ((lanes + @TILE@ - 1) / @TILE@), cols = fetch ? @OUT_COLS@ : 0;
    int tile = 0;
    for (int ky = 0; ky < @KH@; ky++) {
        for (int kx = 0; kx < @KW@; kx++) {
            ROLLED
            for (int lane = 0; lane < lanes; lane += @TILE@, tile++)
                @NAME@_tile(@TILE@, vectors, p + ky * tap_row + kx * tap_col + lane, dy, offset,
                            slab + ((ky * @KW@ + kx) * BLOCK + lane) * vectors * VL, add, row, end, next_x, next_dy,
                            cols * tile / tiles, cols * (tile + 1) / tiles, row_step, pixel_step, image_step, repeat);
        }
    }
}

/* slab[vector] += the sum of dy over rows [row, end): the bias's share. */
INLINE void @NAME@_bias(const int vectors, const float *dy, const ptrdiff_t *offset, float *slab, const int add,
                        const int row, const int end)
{
    ROLLED
    for (int n = 0; n < vectors; n++) {
        vec total = SPLAT(0.0f);
        if (add) total = AT(slab + n * VL);
        for (int at = row; at < end; at++) {
            const float *d = dy + offset[n] + at / @OUT_ROWS@ * (ptrdiff_t)@DY_IMAGE@ + at % @OUT_ROWS@ * (ptrdiff_t)@DY_ROW@;
            vec sum = SPLAT(0.0f);
            for (int col = 0; col < @OUT_COLS@; col++) sum += AT(d + col * BLOCK);
            total += sum;
        }
        PUT(slab + n * VL, total);
    }
}

/* What rows [row, end) give to the unit of block `block` of inputs, or the bias, and of the `vectors` vectors of outputs from `vector` on. */
INLINE void @NAME@_strip(const int vectors, const float *const x[], const float *dy, float *slab, const int add,
                         const int row, const int end, const int fetch, int block, const int vector)
{
    ptrdiff_t offset[@STRIP@];
    UNROLL
    for (int n = 0; n < vectors; n++)
        offset[n] = (vector + n) / VECTORS * (ptrdiff_t)@DY_BLOCK@ + (vector + n) % VECTORS * VL;
    if (@BIAS@ && block == @IN_BLOCKS@) {
        @NAME@_bias(vectors, dy, offset, slab, add, row, end);
        return;
    }
/* first, count, inputs, block_step, tap_row, tap_col, row_step, pixel_step, image_step, repeat */
#define ACCUMULATE(first, count, inputs, ...) \
    @NAME@_add(vectors, x, dy, offset, slab, add, row, end, fetch, block, first, count, inputs, __VA_ARGS__), \
    block -= (count) * (inputs)
    @SEGMENTS@
#undef ACCUMULATE
}

/* The same for a whole strip and for the last one, if it is narrower. Functions of their own: together they would compete for
 * registers. */
OUTLINE void @NAME@_whole(const float *const x[], const float *dy, float *slab, const int add, const int row, const int end,
                          const int fetch, const int block, const int vector)
{
    @NAME@_strip(@STRIP@, x, dy, slab, add, row, end, fetch, block, vector);
}

OUTLINE void @NAME@_narrow(const float *const x[], const float *dy, float *slab, const int add, const int row, const int end,
                           const int fetch, const int block, const int vector)
{
    @NAME@_strip(@NAME@_LAST > 0 ? @NAME@_LAST : 1, x, dy, slab, add, row, end, fetch, block, vector);
}

/* Adds the `count` slabs of a unit, `apart` floats from one to the next, and stores what they give. */
static void @NAME@_store(float *const dw[], float *const db[], const float *slab, const int count, const ptrdiff_t apart,
                         const int unit)
{
    int strip, block, across;
    @NAME@_place(unit, &strip, &block, &across);
    const int vector = strip * @STRIP@, vectors = @NAME@_LAST > 0 && strip == @NAME@_STRIPS - 1 ? @NAME@_LAST : @STRIP@;
    static const int starts[] = {@STARTS@}, targets[] = {@TARGETS@}, strides[] = {@TARGET_STRIDES@};
    enum { PARTS_OF_OUTPUT = sizeof starts / sizeof starts[0] };
    const int first = vector * VL, outputs = @OUTPUTS@ - first < vectors * VL ? @OUTPUTS@ - first : vectors * VL;
    if (@BIAS@ && block == @IN_BLOCKS@) {
        for (int o = 0; o < outputs; o++) {
            float sum = slab[o];
            for (int c = 1; c < count; c++) sum += slab[c * apart + o];
            float *to = gradients_of(db, starts, PARTS_OF_OUTPUT, first + o, 1);
            *to = @ADD@ ? *to + sum : sum;
        }
        return;
    }
    int segment = 0;
    for (int blocks; block >= (blocks = (@NAME@_channels[segment] + BLOCK - 1) / BLOCK); segment++) block -= blocks;
    const int left = @NAME@_channels[segment] - block * BLOCK;
    store_gradients(dw, starts, PARTS_OF_OUTPUT, slab, count, apart, vectors, @KH@ * @KW@, left < BLOCK ? left : BLOCK,
                    targets[segment] + block * BLOCK * strides[segment], strides[segment], @INPUTS@, first, outputs, @ADD@);
    (void)db;
}

/* Computes the share of thread `thread` of `threads`: an equal share of the units. */
OUTLINE void @NAME@(const float *const x[], const float *dy, float *const dw[], float *const db[], float *sums,
                    float *scratch, int thread, int threads)
{
    enum {
        ROWS = @IMAGES@ * @OUT_ROWS@,
        UNITS = @NAME@_STRIPS * @NAME@_BLOCKS,
        TOGETHER = @NAME@_STRIPS * @ACROSS@,
        SLAB = @KH@ * @KW@ * BLOCK * @STRIP@ * VL
    };
    const int stop = (int)((int64_t)@CHUNKS@ * UNITS * (thread + 1) / threads);
    for (int first = (int)((int64_t)@CHUNKS@ * UNITS * thread / threads), last; first < stop; first = last) {
        /* Up to where other blocks begin. */
        const int chunk = first / UNITS, together = (first % UNITS / TOGETHER + 1) * TOGETHER;
        const int border = chunk * UNITS + (together < UNITS ? together : UNITS);
        last = first + @GROUP@ < stop ? first + @GROUP@ : stop;
        if (last > border) last = border;
        float *slabs = @CHUNKS@ == 1 ? scratch : sums + first * (ptrdiff_t)SLAB;
        const int top = (int)((int64_t)ROWS * chunk / @CHUNKS@), bottom = (int)((int64_t)ROWS * (chunk + 1) / @CHUNKS@);
        for (int row = top; row < bottom; row += @BAND@) {
            const int end = row + @BAND@ < bottom ? row + @BAND@ : bottom;
            for (int unit = first; unit < last; unit++) {
                int strip, block, across;
                @NAME@_place(unit % UNITS, &strip, &block, &across);
                float *slab = slabs + (unit - first) * (ptrdiff_t)SLAB;
                /* The first unit that reads some x or dy fetches it for the next band: bits 0 and 1. */
                const int fetch = @FETCH@ && end < bottom
                                      ? (unit < first + across) + 2 * (unit == first || block % @ACROSS@ == 0) : 0;
                if (@NAME@_LAST > 0 && strip == @NAME@_STRIPS - 1)
                    @NAME@_narrow(x, dy, slab, row > top, row, end, fetch, block, strip * @STRIP@);
                else
                    @NAME@_whole(x, dy, slab, row > top, row, end, fetch, block, strip * @STRIP@);
            }
        }
        for (int unit = first; @CHUNKS@ == 1 && unit < last; unit++)
            @NAME@_store(dw, db, slabs + (unit - first) * (ptrdiff_t)SLAB, 1, 0, unit);
    }
    if (@CHUNKS@ > 1) {
        BARRIER
        for (int unit = (int)((int64_t)UNITS * thread / threads); unit < (int)((int64_t)UNITS * (thread + 1) / threads); unit++)
            @NAME@_store(dw, db, sums + unit * (ptrdiff_t)SLAB, @CHUNKS@, UNITS * (ptrdiff_t)SLAB, unit);
    }
    (void)scratch, (void)sums;
}
