/* Gradient of a 1 x 1 convolution's weights, blocked layout: with s the stride,
 *     dw[o][i] = sum over images, rows and columns of dy[o][row][col] * x[i][row * s][col * s],
 * a product of two matrices whose common side are the pixels; db[o] is the sum of dy[o].
 *
 * Algorithm. A register tile holds the gradients of TILE inputs x STRIP vectors of outputs: per pixel it takes STRIP vectors of dy,
 * broadcasts TILE lanes of x and multiplies. A unit is one block of inputs and one strip of outputs; its gradients are a slab,
 * [16 inputs][outputs of the strip], after which units of block 0 have the bias's. A group of units, ACROSS blocks of inputs by
 * TURNS strips, takes turns on a panel of PANEL pixels. In its place a row of a block is short, and rows lie far apart, in
 * multiples of a page if there are many channels: they would meet in the same few sets of a cache, and end before it fetches
 * ahead. So a group first copies its panel, pixels side by side, to where it stays in the second-level cache:
 *     x: [block][pixel][16 inputs], dy: [strip][pixel][outputs of the strip].
 * What a panel adds up to is added to the slab, so sums are short ones and their error small. A finished slab is transposed into
 * PyTorch's order.
 *
 * Threads share the units; each sum is formed by one thread in a fixed order: nothing depends on thread or threads.
 *
 * Preconditions. x[s] points at what output (0, 0) reads, lane 0 of segment s; padded lanes hold finite numbers. dy is the output's
 * gradient; pointers and strides are multiples of 64 bytes. dw[k]: gradient of part k of the outputs, (outputs of the part, INPUTS);
 * db[k]: of its bias, if BIAS. scratch: private to the thread, PANEL * (ACROSS * 16 + TURNS * STRIP * VL) floats for panels and
 * ACROSS * TURNS * (16 + BIAS) * STRIP * VL for slabs.
 *
 * Holes. IMAGES, OUT_ROWS, OUT_COLS, OUT_BLOCKS: the output. OUTPUTS, INPUTS: real ones, INPUTS those of the weights.
 * STARTS: the first output of each part of the outputs, a list; 0 if there is one. IN_BLOCKS: blocks of inputs of all segments.
 * TILE: 16 or a divisor of it. STRIP: vectors of outputs in a strip (the last may be narrower). PANEL, ACROSS, TURNS: see above.
 * DY_IMAGE, DY_ROW, DY_BLOCK: strides of dy. ADD: whether gradients are added to what dw and db hold. BIAS: whether there is a
 * bias. CHANNELS, TARGETS, TARGET_STRIDES: a list each, with a value for each segment: channel c of it is input TARGET + c *
 * TARGET_STRIDE of the weights. SEGMENTS: as for the Winograd convolution, PACK(first, count, blocks of inputs, step from block to
 * block, from output row to output row, output column to output column, image to image).
 */

/* @NAME@: @OUTPUTS@ x @INPUTS@ weights from @IMAGES@ x @OUT_ROWS@ x @OUT_COLS@ outputs. */

enum {
    @NAME@_WIDTH = @OUT_BLOCKS@ * VECTORS,
    @NAME@_STRIPS = (@NAME@_WIDTH + @STRIP@ - 1) / @STRIP@,
    @NAME@_LAST = @NAME@_WIDTH % @STRIP@, /* vectors of the last strip, if it is a narrower one */
    @NAME@_SLAB = (BLOCK + @BIAS@) * @STRIP@ * VL
};

/* The strip and the block of inputs of a unit, and the `across` blocks from `begin` on that its group has. */
INLINE void @NAME@_place(const int unit, int *strip, int *block, int *begin, int *across)
{
    *begin = unit / (@NAME@_STRIPS * @ACROSS@) * @ACROSS@;
    const int at = unit % (@NAME@_STRIPS * @ACROSS@);
    *across = @IN_BLOCKS@ - *begin < @ACROSS@ ? @IN_BLOCKS@ - *begin : @ACROSS@;
    *strip = at / *across;
    *block = *begin + at % *across;
}

/* Copies pixels [pixel, end) of those of blocks [from, to) of inputs that segments x[first] .. x[first + count - 1] have; `block` is
 * the first segment's first block. */
INLINE void @NAME@_inputs(const float *const x[], float *restrict panel, int pixel, const int end, const int from, const int to,
                          const int block, const int first, const int count, const int inputs, const ptrdiff_t block_step,
                          const ptrdiff_t row_step, const ptrdiff_t pixel_step, const ptrdiff_t image_step)
{
    const int low = from > block ? from : block, high = to < block + count * inputs ? to : block + count * inputs;
    float *at = panel + (low - from) * (ptrdiff_t)(@PANEL@ * BLOCK);
    for (int run; low < high && pixel < end; pixel += run, at += run * BLOCK) {
        const int line = pixel / @OUT_COLS@, col = pixel % @OUT_COLS@;
        run = @OUT_COLS@ - col < end - pixel ? @OUT_COLS@ - col : end - pixel;
        const ptrdiff_t place = line / @OUT_ROWS@ * image_step + line % @OUT_ROWS@ * row_step + col * pixel_step;
        for (int b = low; b < high; b++) {
            const float *p = x[first + (b - block) / inputs] + place + (b - block) % inputs * block_step;
            float *to_pixel = at + (b - low) * (ptrdiff_t)(@PANEL@ * BLOCK);
            ROLLED
            for (int j = 0; j < run; j++) {
                UNROLL
                for (int n = 0; n < BLOCK; n += VL) PUT(to_pixel + j * BLOCK + n, AT(p + j * pixel_step + n));
            }
        }
    }
}

/* The same of dy for strips [from, to). */
INLINE void @NAME@_outputs(const float *dy, float *restrict panel, int pixel, const int end, const int from, const int to)
{
    const int last = to * @STRIP@ < @NAME@_WIDTH ? to * @STRIP@ : @NAME@_WIDTH;
    float *at = panel;
    for (int run; pixel < end; pixel += run, at += run * (@STRIP@ * VL)) {
        const int line = pixel / @OUT_COLS@, col = pixel % @OUT_COLS@;
        run = @OUT_COLS@ - col < end - pixel ? @OUT_COLS@ - col : end - pixel;
        const float *d = dy + line / @OUT_ROWS@ * (ptrdiff_t)@DY_IMAGE@ + line % @OUT_ROWS@ * (ptrdiff_t)@DY_ROW@ + col * BLOCK;
        for (int n = from * @STRIP@; n < last; n++) {
            const float *p = d + n / VECTORS * (ptrdiff_t)@DY_BLOCK@ + n % VECTORS * VL;
            float *to_pixel = at + (n / @STRIP@ - from) * (ptrdiff_t)(@PANEL@ * @STRIP@ * VL) + n % @STRIP@ * VL;
            ROLLED
            for (int j = 0; j < run; j++) PUT(to_pixel + j * (@STRIP@ * VL), AT(p + j * BLOCK));
        }
    }
}

/* What `pixels` pixels give to one unit of block `block`. */
INLINE void @NAME@_unit(const int vectors, const float *x, const float *dy, float *slab, const int add, const int pixels,
                        const int block)
{
    ptrdiff_t offset[@STRIP@];
    UNROLL
    for (int n = 0; n < vectors; n++) offset[n] = n * VL;
    ROLLED
    for (int lane = 0; lane < BLOCK; lane += @TILE@) {
        vec acc[@TILE@ * @STRIP@];
        UNROLL
        for (int i = 0; i < @TILE@ * vectors; i++) acc[i] = SPLAT(0.0f);
        multiply_pixels(acc, @TILE@, vectors, x + lane, dy, offset, pixels, BLOCK, @STRIP@ * VL, 1);
        /* A copy: its address goes further, and what has none stays in registers. */
        vec sums[@TILE@ * @STRIP@];
        UNROLL
        for (int i = 0; i < @TILE@ * vectors; i++) sums[i] = acc[i];
        put_sums(slab + lane * vectors * VL, sums, @TILE@ * vectors, add);
    }
    for (int n = 0; n < (@BIAS@ && block == 0 ? vectors : 0); n++) {
        vec sum = SPLAT(0.0f);
        for (int j = 0; j < pixels; j++) sum += AT(dy + j * (@STRIP@ * VL) + n * VL);
        put_sums(slab + (BLOCK * vectors + n) * VL, &sum, 1, add);
    }
}

/* The same for a whole strip and for the last one, if it is narrower. Functions of their own: together they would compete for
 * registers. */
OUTLINE void @NAME@_whole(const float *x, const float *dy, float *slab, const int add, const int pixels,
                          const int block)
{
    @NAME@_unit(@STRIP@, x, dy, slab, add, pixels, block);
}

OUTLINE void @NAME@_narrow(const float *x, const float *dy, float *slab, const int add, const int pixels,
                           const int block)
{
    @NAME@_unit(@NAME@_LAST > 0 ? @NAME@_LAST : 1, x, dy, slab, add, pixels, block);
}

/* The slabs of units [first, last), which read the same blocks of inputs. */
static void @NAME@_group(const float *const x[], const float *dy, float *slabs, float *panels, const int first, const int last)
{
    enum { PIXELS = @IMAGES@ * @OUT_ROWS@ * @OUT_COLS@ };
    int from, to, block, begin, across;
    @NAME@_place(last - 1, &to, &block, &begin, &across);
    @NAME@_place(first, &from, &block, &begin, &across);
    float *outputs = panels + @PANEL@ * @ACROSS@ * BLOCK;
    for (int pixel = 0; pixel < PIXELS; pixel += @PANEL@) {
        const int end = pixel + @PANEL@ < PIXELS ? pixel + @PANEL@ : PIXELS;
        int at = 0;
#define PACK(number, count, inputs, ...) \
    @NAME@_inputs(x, panels, pixel, end, begin, begin + across, at, number, count, inputs, __VA_ARGS__), at += (count) * (inputs)
        @SEGMENTS@
#undef PACK
        (void)at;
        @NAME@_outputs(dy, outputs, pixel, end, from, to + 1);
        for (int unit = first; unit < last; unit++) {
            int strip;
            @NAME@_place(unit, &strip, &block, &begin, &across);
            const float *of_x = panels + (block - begin) * (ptrdiff_t)(@PANEL@ * BLOCK);
            const float *of_dy = outputs + (strip - from) * (ptrdiff_t)(@PANEL@ * @STRIP@ * VL);
            float *slab = slabs + (unit - first) * (ptrdiff_t)@NAME@_SLAB;
            if (@NAME@_LAST > 0 && strip == @NAME@_STRIPS - 1)
                @NAME@_narrow(of_x, of_dy, slab, pixel > 0, end - pixel, block);
            else
                @NAME@_whole(of_x, of_dy, slab, pixel > 0, end - pixel, block);
        }
    }
}

/* Stores what the slab of a unit holds. */
static void @NAME@_store(float *const dw[], float *const db[], const float *slab, const int unit)
{
    static const int starts[] = {@STARTS@}, channels[] = {@CHANNELS@}, targets[] = {@TARGETS@}, strides[] = {@TARGET_STRIDES@};
    const int parts = (int)(sizeof starts / sizeof starts[0]);
    int strip, block, begin, across, segment = 0;
    @NAME@_place(unit, &strip, &block, &begin, &across);
    const int vectors = @NAME@_LAST > 0 && strip == @NAME@_STRIPS - 1 ? @NAME@_LAST : @STRIP@, first = strip * @STRIP@ * VL;
    const int outputs = @OUTPUTS@ - first < vectors * VL ? @OUTPUTS@ - first : vectors * VL;
    for (int o = 0; o < (@BIAS@ && block == 0 ? outputs : 0); o++) {
        float *to = gradients_of(db, starts, parts, first + o, 1);
        *to = @ADD@ ? *to + slab[BLOCK * vectors * VL + o] : slab[BLOCK * vectors * VL + o];
    }
    for (int blocks; block >= (blocks = (channels[segment] + BLOCK - 1) / BLOCK); segment++) block -= blocks;
    const int left = channels[segment] - block * BLOCK;
    store_gradients(dw, starts, parts, slab, 1, 0, vectors, 1, left < BLOCK ? left : BLOCK,
                    targets[segment] + block * BLOCK * strides[segment], strides[segment], @INPUTS@, first, outputs, @ADD@);
    (void)db;
}

/* Computes the share of thread `thread` of `threads`: an equal share of the units. */
OUTLINE void @NAME@(const float *const x[], const float *dy, float *const dw[], float *const db[], float *scratch, int thread,
                    int threads)
{
    enum { UNITS = @NAME@_STRIPS * @IN_BLOCKS@, PANELS = @PANEL@ * (@ACROSS@ * BLOCK + @TURNS@ * @STRIP@ * VL) };
    float *slabs = scratch + PANELS;
    const int stop = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int first = (int)((int64_t)UNITS * thread / threads), last; first < stop; first = last) {
        int strip, block, begin, across;
        @NAME@_place(first, &strip, &block, &begin, &across);
        /* Whole strips, unless the thread begins or ends within one. */
        const int strips = strip + @TURNS@ < @NAME@_STRIPS ? @TURNS@ : @NAME@_STRIPS - strip;
        last = first + strips * across - (block - begin);
        if (last > stop) last = stop;
        @NAME@_group(x, dy, slabs, scratch, first, last);
        for (int unit = first; unit < last; unit++)
            @NAME@_store(dw, db, slabs + (unit - first) * (ptrdiff_t)@NAME@_SLAB, unit);
    }
}
