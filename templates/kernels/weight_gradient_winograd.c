/* Gradient of the weights of a 3 x 3 convolution of stride 1 in the domain of Winograd's minimal filtering, blocked layout.
 *
 * Algorithm. Tiles are those of the forward convolution: M x M outputs from (M + 2)^2 inputs. Inputs and dy are transformed into as
 * many Winograd-domain elements, V and D. For each element, dU[input][output] = sum over tiles of V[tile][input] * D[tile][output]: the
 * direct kernel's register tile with tiles as pixels. Transformed back, dU is the gradient of 9 taps.
 *     V, D: [element][block][tile][16 lanes], TILES tiles at a time, planes V_PLANE and D_PLANE floats apart: an odd number of
 *     cache lines, so that they fall into different sets.
 * A unit is one block of inputs and one strip of outputs; its dU is a slab, [element][16 inputs][outputs of the strip]. GROUP
 * units of one strip share each element's D while it lies in a cache. With one block of tiles slabs need not be kept, and
 * SHARE blocks of inputs take turns in V beside the D of all; otherwise slabs gather what the blocks of tiles give.
 *
 * Threads share the transforms, meet, and share the units: each sum is formed by one thread in a fixed order.
 *
 * Preconditions. As for the Winograd convolution, for x. dy may lie without a halo. dw as for the direct weight gradient. shared:
 * EDGE^2 * (V_PLANE + D_PLANE) floats, and if there is more than one block of tiles STRIPS * IN_BLOCKS * SLAB after them;
 * scratch: private to the thread, GROUP * SLAB floats, used otherwise. EDGE = M + 2, SLAB = EDGE^2 * 16 * STRIP * VL, STRIPS =
 * ceil(OUT_BLOCKS * 16 / VL / STRIP). All threads of the team must call it.
 *
 * Holes. IMAGES, OUT_ROWS, OUT_COLS, OUT_BLOCKS, OUTPUTS, INPUTS, STARTS, IN_BLOCKS, TILE, STRIP, DY_IMAGE, DY_ROW, DY_BLOCK, ADD,
 * CHANNELS, TARGETS, TARGET_STRIDES: as for the direct weight gradient. M: edge of a tile. TILES, GROUP, V_PLANE, D_PLANE:
 * see above. SHARE: all blocks of inputs where TILES are not all tiles. SEGMENTS: as for the Winograd convolution, TRANSFORM(first, count, blocks of inputs, step from block to
 * block, from row to row, pixel to pixel, image to image).
 */

/* @NAME@: @OUTPUTS@ x @INPUTS@ x 3 x 3 weights from @IMAGES@ x @OUT_ROWS@ x @OUT_COLS@ outputs, F(@M@ x @M@, 3 x 3). */

/* Transforms what tiles [first, first + tiles) read of segments x[from] .. x[from + count - 1]: of all pairs (block of inputs,
 * tile), numbered in this order, those in [low, high). `block` is the first segment's first block, `begin` the first one in v. */
static void @NAME@_inputs(const float *const x[], float *restrict v, const int first, const int tiles, const int low,
                          const int high, const int begin, int block, const int from, const int count, const int inputs,
                          const ptrdiff_t block_step, const ptrdiff_t row_step, const ptrdiff_t pixel_step,
                          const ptrdiff_t image_step)
{
    enum { ROWS = (@OUT_ROWS@ + @M@ - 1) / @M@, COLS = (@OUT_COLS@ + @M@ - 1) / @M@, AHEAD = 4 };
    for (int s = from; s < from + count; s++) {
        for (int b = 0; b < inputs; b++, block++) {
            int tile = low - block * tiles, end = high - block * tiles;
            if (tile < 0) tile = 0;
            if (end > tiles) end = tiles;
            for (; tile < end; tile++) {
                /* What a later tile reads; the neighbour on its left has fetched the rest. */
                const int later = first + tile + AHEAD;
                const ptrdiff_t next = later / (ROWS * COLS) * image_step + b * block_step +
                                       later / COLS % ROWS * @M@ * row_step + later % COLS * @M@ * pixel_step;
                ROLLED
                for (int i = 0; i < @M@ + 2; i++) {
                    UNROLL
                    for (int j = 2; j < @M@ + 2; j++) PREFETCH(x[s], next + i * row_step + j * pixel_step, 0);
                }
                const int image = (first + tile) / (ROWS * COLS);
                const int row = (first + tile) / COLS % ROWS, col = (first + tile) % COLS;
                winograd@M@_input(x[s] + image * image_step + b * block_step + row * @M@ * row_step + col * @M@ * pixel_step,
                                  row_step, pixel_step, v + ((block - begin) * (ptrdiff_t)@TILES@ + tile) * BLOCK, @V_PLANE@);
            }
        }
    }
}

/* Transforms those in [low, high) of all pairs (block of outputs, tile of [first, first + tiles)). */
static void @NAME@_outputs(const float *dy, float *restrict d, const int first, const int tiles, const int low, const int high)
{
    enum { ROWS = (@OUT_ROWS@ + @M@ - 1) / @M@, COLS = (@OUT_COLS@ + @M@ - 1) / @M@, AHEAD = 4 };
    for (int pair = low; pair < high; pair++) {
        const int block = pair / tiles, tile = pair % tiles, image = (first + tile) / (ROWS * COLS);
        const int row = (first + tile) / COLS % ROWS * @M@, col = (first + tile) % COLS * @M@, later = first + tile + AHEAD;
        const ptrdiff_t next = later / (ROWS * COLS) * (ptrdiff_t)@DY_IMAGE@ + block * (ptrdiff_t)@DY_BLOCK@ +
                               later / COLS % ROWS * @M@ * (ptrdiff_t)@DY_ROW@ + later % COLS * @M@ * BLOCK;
        ROLLED
        for (int i = 0; i < @M@; i++) {
            UNROLL
            for (int j = 0; j < @M@; j++) PREFETCH(dy, next + i * (ptrdiff_t)@DY_ROW@ + j * BLOCK, 0);
        }
        winograd@M@_gradient(dy + image * (ptrdiff_t)@DY_IMAGE@ + row * (ptrdiff_t)@DY_ROW@ + block * (ptrdiff_t)@DY_BLOCK@ +
                                 col * BLOCK,
                             @DY_ROW@, @OUT_ROWS@ - row, @OUT_COLS@ - col,
                             d + (block * (ptrdiff_t)@TILES@ + tile) * BLOCK, @D_PLANE@);
    }
}

/* The share of thread `thread` of `threads` of V for tiles [first, first + tiles) of blocks [begin, end) of inputs. */
INLINE void @NAME@_transform(const float *const x[], float *v, const int first, const int tiles, const int begin,
                             const int end, const int thread, const int threads)
{
    const int low = begin * tiles + (int)((int64_t)((end - begin) * tiles) * thread / threads);
    const int high = begin * tiles + (int)((int64_t)((end - begin) * tiles) * (thread + 1) / threads);
    int block = 0;
#define TRANSFORM(from, count, inputs, ...) \
    @NAME@_inputs(x, v, first, tiles, low, high, begin, block, from, count, inputs, __VA_ARGS__), block += (count) * (inputs)
    @SEGMENTS@
#undef TRANSFORM
    (void)block;
}

/* One element of the unit whose inputs are at v and whose outputs are the `vectors` vectors at d: slab[16 inputs][vector]. */
INLINE void @NAME@_product(const int vectors, const float *v, const float *d, const ptrdiff_t *offset, float *slab,
                           const int tiles, const int add)
{
    ROLLED
    for (int lane = 0; lane < BLOCK; lane += @TILE@) {
        vec acc[@TILE@ * @STRIP@];
        UNROLL
        for (int i = 0; i < @TILE@ * vectors; i++) acc[i] = SPLAT(0.0f);
        multiply_pixels(acc, @TILE@, vectors, v + lane, d, offset, tiles, BLOCK, BLOCK, 1);
        /* A copy: its address goes further, and what has none stays in registers. */
        vec sums[@TILE@ * @STRIP@];
        UNROLL
        for (int i = 0; i < @TILE@ * vectors; i++) sums[i] = acc[i];
        put_sums(slab + lane * vectors * VL, sums, @TILE@ * vectors, add);
    }
}

/* All elements of blocks [block, end) of inputs and the `vectors` vectors of outputs from `vector` on. */
INLINE void @NAME@_group(const int vectors, const float *v, const float *d, float *slabs, const int block, const int end,
                         const int vector, const int tiles, const int add)
{
    enum { EDGE = @M@ + 2, SLAB = EDGE * EDGE * BLOCK * @STRIP@ * VL };
    ptrdiff_t offset[@STRIP@];
    UNROLL
    for (int n = 0; n < vectors; n++)
        offset[n] = (vector + n) / VECTORS * (ptrdiff_t)(@TILES@ * BLOCK) + (vector + n) % VECTORS * VL;
    for (int f = 0; f < EDGE * EDGE; f++) {
        for (int b = block; b < end; b++)
            @NAME@_product(vectors, v + f * (ptrdiff_t)@V_PLANE@ + b * (ptrdiff_t)(@TILES@ * BLOCK), d + f * (ptrdiff_t)@D_PLANE@,
                           offset, slabs + (b - block) * (ptrdiff_t)SLAB + f * BLOCK * vectors * VL, tiles, add);
    }
}

/* The same for a whole strip and for the last one, if it is narrower. Functions of their own: together they would compete for
 * registers. */
OUTLINE void @NAME@_whole(const float *v, const float *d, float *slabs, const int block, const int end, const int vector,
                          const int tiles, const int add)
{
    @NAME@_group(@STRIP@, v, d, slabs, block, end, vector, tiles, add);
}

OUTLINE void @NAME@_narrow(const float *v, const float *d, float *slabs, const int block, const int end, const int vector,
                           const int tiles, const int add)
{
    enum { LAST = @OUT_BLOCKS@ * VECTORS % @STRIP@ };
    @NAME@_group(LAST > 0 ? LAST : 1, v, d, slabs, block, end, vector, tiles, add);
}

/* Transforms the slab of one unit back and stores the gradients. */
OUTLINE void @NAME@_store(float *const dw[], float *slab, int block, const int vector, const int vectors)
{
    static const int starts[] = {@STARTS@}, channels[] = {@CHANNELS@}, targets[] = {@TARGETS@}, strides[] = {@TARGET_STRIDES@};
    int segment = 0;
    for (int blocks; block >= (blocks = (channels[segment] + BLOCK - 1) / BLOCK); segment++) block -= blocks;
    const int left = channels[segment] - block * BLOCK, lanes = left < BLOCK ? left : BLOCK, first = vector * VL;
    for (int i = 0; i < lanes * vectors; i++) winograd@M@_kernel(slab + i * VL, BLOCK * vectors * VL);
    store_gradients(dw, starts, (int)(sizeof starts / sizeof starts[0]), slab, 1, 0, vectors, 9, lanes,
                    targets[segment] + block * BLOCK * strides[segment], strides[segment], @INPUTS@, first,
                    @OUTPUTS@ - first < vectors * VL ? @OUTPUTS@ - first : vectors * VL, @ADD@);
}

/* Units [first, stop) of those of blocks [begin, end) of inputs, whose V is there: strip by strip of outputs. */
static void @NAME@_units(float *const dw[], const float *v, const float *d, float *slabs, const int apart, int first,
                         const int stop, const int begin, const int end, const int tiles, const int add, const int is_last)
{
    enum {
        EDGE = @M@ + 2,
        WIDTH = @OUT_BLOCKS@ * VECTORS,
        STRIPS = (WIDTH + @STRIP@ - 1) / @STRIP@,
        LAST = WIDTH % @STRIP@, /* vectors of the last strip, if it is a narrower one */
        SLAB = EDGE * EDGE * BLOCK * @STRIP@ * VL
    };
    for (int last; first < stop; first = last) {
        const int strip = first / (end - begin), block = first % (end - begin), narrow = LAST > 0 && strip == STRIPS - 1;
        last = first + @GROUP@ < stop ? first + @GROUP@ : stop;
        if (last > (strip + 1) * (end - begin)) last = (strip + 1) * (end - begin);
        float *slab = slabs + first * (ptrdiff_t)apart;
        if (narrow)
            @NAME@_narrow(v, d, slab, block, block + last - first, strip * @STRIP@, tiles, add);
        else
            @NAME@_whole(v, d, slab, block, block + last - first, strip * @STRIP@, tiles, add);
        for (int unit = 0; is_last && unit < last - first; unit++)
            @NAME@_store(dw, slab + unit * (ptrdiff_t)SLAB, begin + block + unit, strip * @STRIP@, narrow ? LAST : @STRIP@);
    }
}

/* Computes the share of thread `thread` of `threads`. */
OUTLINE void @NAME@(const float *const x[], const float *dy, float *const dw[], float *shared, float *scratch, int thread,
                    int threads)
{
    enum {
        EDGE = @M@ + 2,
        COUNT = @IMAGES@ * ((@OUT_ROWS@ + @M@ - 1) / @M@) * ((@OUT_COLS@ + @M@ - 1) / @M@), /* tiles in all */
        ROUNDS = (COUNT + @TILES@ - 1) / @TILES@,
        STRIPS = (@OUT_BLOCKS@ * VECTORS + @STRIP@ - 1) / @STRIP@,
        SLAB = EDGE * EDGE * BLOCK * @STRIP@ * VL
    };
    float *v = shared, *d = v + EDGE * EDGE * (ptrdiff_t)@V_PLANE@, *sums = d + EDGE * EDGE * (ptrdiff_t)@D_PLANE@;
    for (int round = 0; round < ROUNDS; round++) {
        const int start = round * @TILES@, tiles = COUNT - start < @TILES@ ? COUNT - start : @TILES@;
        const int pairs = @OUT_BLOCKS@ * tiles;
        @NAME@_outputs(dy, d, start, tiles, (int)((int64_t)pairs * thread / threads), (int)((int64_t)pairs * (thread + 1) / threads));
        for (int begin = 0; begin < @IN_BLOCKS@; begin += @SHARE@) {
            const int end = begin + @SHARE@ < @IN_BLOCKS@ ? begin + @SHARE@ : @IN_BLOCKS@, units = STRIPS * (end - begin);
            @NAME@_transform(x, v, start, tiles, begin, end, thread, threads);
            BARRIER
            @NAME@_units(dw, v, d, ROUNDS == 1 ? scratch : sums, ROUNDS == 1 ? 0 : SLAB,
                         (int)((int64_t)units * thread / threads), (int)((int64_t)units * (thread + 1) / threads), begin, end, tiles,
                         round > 0, round + 1 == ROUNDS);
            if (round + 1 < ROUNDS || end < @IN_BLOCKS@) {
                BARRIER
            }
        }
    }
    (void)scratch, (void)sums;
}
