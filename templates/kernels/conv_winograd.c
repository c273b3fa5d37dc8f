/* 3 x 3 convolution of stride 1 by Winograd's minimal filtering, blocked layout.
 *
 * Algorithm. The output is cut into tiles of M x M pixels, numbered image by image, row by row. Each tile's (M + 2)^2 inputs
 * are transformed into as many Winograd-domain elements; for each element the tiles' inputs are multiplied by its transformed
 * weights, a matrix product with the whole reduction in registers; what comes out is transformed back, through the epilogue.
 * TILES tiles at a time (a block) are transformed, so that their elements V stay in a cache; the weights are packed in the
 * order of their use, [strip][element][segment][block][16 lanes][outputs of the strip], one forward stream.
 *     V: [element][group of tiles][block of inputs][tile of the group][16 lanes], the planes of two elements V_PLANE apart
 *     M: [element][tile][outputs of the strip], one strip and chunk of tiles at a time, planes M_PLANE apart
 * Both are an odd number of cache lines, so that the planes fall into different sets.
 *
 * Threads. Either each has its own blocks of tiles and its own V (SHARED 0), or all work on one block (SHARED 1): they
 * share the transform, meet, and share strips and chunks, so that each weight is read by one thread alone. Each output value is
 * computed in the same order whoever computes it.
 *
 * Preconditions. As for the direct convolution: x[s] points at what output (0, 0) reads at tap (0, 0), strides are multiples of 64
 * bytes, halos hold zeros; they cover what tiles that overhang the output read.
 *
 * Holes. IMAGES, OUT_ROWS, OUT_COLS, OUT_BLOCKS: the output. IN_BLOCKS: blocks of inputs of all segments. M: edge of a
 * tile. STRIP: blocks of outputs in a strip (the last may be narrower). TILES: tiles in a block; GROUP: tiles in a
 * register tile, at most; CHUNK: groups in a chunk, at most. V_PLANE, M_PLANE: see above. SHARED: see above. STREAM:
 * whether the output goes past the caches. FETCH: whether a thread fetches the inputs of its next block ahead. Y_IMAGE,
 * Y_ROW, Y_COL, R_IMAGE, R_ROW, R_BLOCK: strides of y and r. Y_BLOCK: where block number `out` of the output begins. SEGMENTS: a line for each run of segments that differ in
 * nothing but their origin, TRANSFORM(first, count, blocks of inputs, step from block to block, from row to row, pixel
 * to pixel, image to image). PRODUCTS: a case for each size of register tile, PRODUCT(tiles, blocks). INPUT: the address
 * of a tile's first input; in scope are x[s], b, image, row, col and steps. EPILOGUE: statements on the vector v; in
 * scope are bias, phase, channel, `to`, where v is stored, and r + residual. STATISTICS_: parameter, argument and statements of
 * a convolution that gathers statistics of what it stores, group by group of tiles; see statistics.c.
 */

/* @NAME@: @IMAGES@ x @OUT_ROWS@ x @OUT_COLS@ outputs in @OUT_BLOCKS@ blocks from @IN_BLOCKS@, F(@M@ x @M@, 3 x 3). */

/* Where tile group `group` of `groups` begins in a block of `tiles` tiles: groups of equal size, give or take one. */
INLINE int @NAME@_start(int group, int groups, int tiles) { return group * tiles / groups; }

/* Transforms what tiles [first, first + tiles) read of segments x[from] .. x[from + count - 1]: of all pairs (block of inputs, tile),
 * numbered in this order, those in [low, high). `block` is the first segment's first block. With v NULL it only fetches. */
static void @NAME@_transform(const float *const x[], float *restrict v, const int first, const int tiles, const int low,
                             const int high, int block, const int from, const int count, const int inputs,
                             const ptrdiff_t block_step, const ptrdiff_t row_step, const ptrdiff_t pixel_step,
                             const ptrdiff_t image_step)
{
    enum { ROWS = (@OUT_ROWS@ + @M@ - 1) / @M@, COLS = (@OUT_COLS@ + @M@ - 1) / @M@ };
    const int groups = (tiles + @GROUP@ - 1) / @GROUP@;
    for (int s = from; s < from + count; s++) {
        for (int b = 0; b < inputs; b++, block++) {
            int tile = low - block * tiles, end = high - block * tiles;
            if (tile < 0) tile = 0;
            if (end > tiles) end = tiles;
            if (tile >= end) continue;
            (void)image_step, (void)block_step;
            int group = 0;
            while (@NAME@_start(group + 1, groups, tiles) <= tile) group++;
            for (; tile < end; tile++) {
                if (tile == @NAME@_start(group + 1, groups, tiles)) group++;
                const int start = @NAME@_start(group, groups, tiles), size = @NAME@_start(group + 1, groups, tiles) - start;
                const int image = (first + tile) / (ROWS * COLS);
                const int row = (first + tile) / COLS % ROWS, col = (first + tile) % COLS;
                const float *p = @INPUT@;
                if (v == NULL) {
                    ROLLED
                    for (int i = 0; i < @M@ + 2; i++) {
                        /* The neighbour on the left has fetched the rest. */
                        UNROLL
                        for (int j = 2; j < @M@ + 2; j++) PREFETCH(p, i * row_step + j * pixel_step, 1);
                    }
                    continue;
                }
                float *to = v + (start * (ptrdiff_t)@IN_BLOCKS@ + block * size + (tile - start)) * BLOCK;
                winograd@M@_input(p, row_step, pixel_step, to, @V_PLANE@);
            }
        }
    }
}

/* The share of thread `thread` of `threads` of V for tiles [first, first + tiles). */
INLINE void @NAME@_inputs(const float *const x[], float *restrict v, const int first, const int tiles, const int thread,
                          const int threads)
{
    const int units = @IN_BLOCKS@ * tiles;
    const int low = (int)((int64_t)units * thread / threads), high = (int)((int64_t)units * (thread + 1) / threads);
    int block = 0;
#define TRANSFORM(from, count, inputs, ...) \
    @NAME@_transform(x, v, first, tiles, low, high, block, from, count, inputs, __VA_ARGS__), block += (count) * (inputs)
    @SEGMENTS@
#undef TRANSFORM
    (void)block;
}

/* Products of one element for `tiles` tiles and `blocks` blocks of outputs. */
INLINE void @NAME@_product(const float *v, const float *u, float *m, const int tiles, const int blocks, const float *next,
                           const int lines)
{
    switch (tiles * 64 + blocks) {
#define PRODUCT(tiles, blocks) \
    case (tiles) * 64 + (blocks): winograd_product_##tiles##x##blocks(v, u, m, @IN_BLOCKS@, next, lines); break
    @PRODUCTS@
#undef PRODUCT
    }
}

/* Fetches what transforming tile number `tile` back will touch for `blocks` blocks of outputs: the residual, and the output unless it
 * goes past the caches. */
INLINE void @NAME@_fetch_outputs(const float *r, float *y, const int tile, const int block, const int blocks)
{
    enum { ROWS = (@OUT_ROWS@ + @M@ - 1) / @M@, COLS = (@OUT_COLS@ + @M@ - 1) / @M@ };
    const int image = tile / (ROWS * COLS), row = tile / COLS % ROWS * @M@, col = tile % COLS * @M@;
    for (int out = block; out < block + blocks; out++) {
        ROLLED
        for (int i = row; i < row + @M@; i++) {
            float *to = y + image * (ptrdiff_t)@Y_IMAGE@ + i * (ptrdiff_t)@Y_ROW@ + @Y_BLOCK@ + col * @Y_COL@;
            const ptrdiff_t residual = image * (ptrdiff_t)@R_IMAGE@ + i * (ptrdiff_t)@R_ROW@ + out * (ptrdiff_t)@R_BLOCK@ + col * BLOCK;
            UNROLL
            for (int j = 0; j < @M@; j++) {
                if (!@STREAM@) PREFETCH_STORE(to + j * @Y_COL@);
                if (@R_ROW@ > 0) PREFETCH(r, residual + j * BLOCK, 0);
            }
            (void)to, (void)residual;
        }
    }
    (void)r, (void)y;
}

/* Transforms `tiles` tiles of `blocks` blocks of outputs back and stores them; the first tile is number `first`. As many as `following`
 * more tiles will follow. */
OUTLINE void @NAME@_outputs(const float *restrict m, const float *restrict bias, const float *restrict r, float *restrict y,
                            const int first, const int tiles, const int following, const int block,
                            const int blocks@STATISTICS_PARAMETER@)
{
    enum { ROWS = (@OUT_ROWS@ + @M@ - 1) / @M@, COLS = (@OUT_COLS@ + @M@ - 1) / @M@ };
    for (int tile = 0; tile < tiles; tile++) {
        if (tile + 1 < tiles + following) @NAME@_fetch_outputs(r, y, first + tile + 1, block, blocks);
        const int image = (first + tile) / (ROWS * COLS), row = (first + tile) / COLS % ROWS * @M@;
        const int col = (first + tile) % COLS * @M@;
        const int rows = @OUT_ROWS@ - row < @M@ ? @OUT_ROWS@ - row : @M@, cols = @OUT_COLS@ - col < @M@ ? @OUT_COLS@ - col : @M@;
        for (int b = 0; b < blocks; b++) {
            const int out = block + b;
            ROLLED
            for (int n = 0; n < VECTORS; n++) {
                vec sums[@M@ * @M@];
                winograd@M@_output(m + (tile * blocks + b) * BLOCK + n * VL, @M_PLANE@, sums);
                const int channel = out * BLOCK + n * VL;
                const vec start = AT(bias + channel);
                ROLLED
                for (int i = 0; i < rows; i++) {
                    ROLLED
                    for (int j = 0; j < cols; j++) {
                        const int phase = ((row + i) % 2 * 2 + (col + j) % 2) * (@OUT_BLOCKS@ * BLOCK) + channel;
                        const ptrdiff_t residual = image * (ptrdiff_t)@R_IMAGE@ + (row + i) * (ptrdiff_t)@R_ROW@ +
                                                   out * (ptrdiff_t)@R_BLOCK@ + (col + j) * BLOCK + n * VL;
                        float *to = y + image * (ptrdiff_t)@Y_IMAGE@ + (row + i) * (ptrdiff_t)@Y_ROW@ + @Y_BLOCK@ +
                                    (col + j) * @Y_COL@ + n * VL;
                        vec v = sums[i * @M@ + j] + start;
                        (void)phase, (void)residual;
                        @EPILOGUE@
                        if (@STREAM@)
                            STREAM(to, v);
                        else
                            PUT(to, v);
                        @STATISTICS_KEEP@
                    }
                }
                @STATISTICS_ADD@
            }
        }
        @STATISTICS_COUNT@
    }
    (void)r;
}

/* Computes the share of thread `thread` of `threads` of strips [from_strip, to_strip), whose weights are at w. v: the shared elements, NULL if each
 * thread has its own, which then lie before the products in `scratch`. */
OUTLINE void @NAME@(const float *const x[], float *v, float *scratch, const float *restrict w, const float *restrict bias,
                    const float *restrict r, float *restrict y, const int from_strip, const int to_strip@STATISTICS_SLOTS@, int thread,
                    int threads)
{
    enum {
        EDGE = @M@ + 2,
        COUNT = @IMAGES@ * ((@OUT_ROWS@ + @M@ - 1) / @M@) * ((@OUT_COLS@ + @M@ - 1) / @M@), /* tiles in all */
        BLOCKS = (COUNT + @TILES@ - 1) / @TILES@,
        K = @IN_BLOCKS@ * BLOCK
    };
    const int strips = to_strip - from_strip;
    float *m = scratch;
    if (!@SHARED@) v = scratch, m = scratch + EDGE * EDGE * (ptrdiff_t)@V_PLANE@;
    const int from = @SHARED@ ? 0 : (int)((int64_t)BLOCKS * thread / threads);
    const int to = @SHARED@ ? BLOCKS : (int)((int64_t)BLOCKS * (thread + 1) / threads);
    for (int i = from; i < to; i++) {
        const int first = i * @TILES@, tiles = COUNT - first < @TILES@ ? COUNT - first : @TILES@;
        /* All tiles' shared elements are still there when the next strips come. */
        if (!@SHARED@ || BLOCKS > 1 || from_strip == 0)
            @NAME@_inputs(x, v, first, tiles, @SHARED@ ? thread : 0, @SHARED@ ? threads : 1);
        if (@SHARED@) {
            BARRIER
        }
        const int groups = (tiles + @GROUP@ - 1) / @GROUP@;
        int chunks = (groups + @CHUNK@ - 1) / @CHUNK@;
        /* Smaller chunks only where strips alone would leave threads idle: each chunk reads the strip's weights again. */
        while (@SHARED@ && chunks < groups && strips * chunks * 10 < (strips * chunks + threads - 1) / threads * threads * 9) chunks++;
        const int end = @SHARED@ ? (int)((int64_t)strips * chunks * (thread + 1) / threads) : strips * chunks;
        for (int unit = @SHARED@ ? (int)((int64_t)strips * chunks * thread / threads) : 0; unit < end; unit++) {
            const int strip = from_strip + unit / chunks, low = unit % chunks * groups / chunks, high = (unit % chunks + 1) * groups / chunks;
            const int blocks = @OUT_BLOCKS@ - strip * @STRIP@ < @STRIP@ ? @OUT_BLOCKS@ - strip * @STRIP@ : @STRIP@;
            const int base = @NAME@_start(low, groups, tiles), count = @NAME@_start(high, groups, tiles) - base;
            const float *u = w + (strip - from_strip) * ((ptrdiff_t)EDGE * EDGE * K * @STRIP@ * BLOCK);
            for (int f = 0; f < EDGE * EDGE; f++, u += K * blocks * BLOCK) {
                /* The inputs of the next block of tiles, in shares. */
                if (@FETCH@ && i + 1 < to)
                    @NAME@_inputs(x, NULL, first + tiles, @TILES@ < COUNT - first - tiles ? @TILES@ : COUNT - first - tiles,
                                  unit * EDGE * EDGE + f, end * EDGE * EDGE);
                /* Each group fetches its share of the next element's weights. */
                const float *next = u + K * blocks * BLOCK;
                const int lines = (BLOCK * blocks + high - low - 1) / (high - low);
                for (int group = low; group < high; group++, next += lines * K) {
                    const int start = @NAME@_start(group, groups, tiles), size = @NAME@_start(group + 1, groups, tiles) - start;
                    @NAME@_product(v + f * (ptrdiff_t)@V_PLANE@ + start * (ptrdiff_t)K, u,
                                   m + f * (ptrdiff_t)@M_PLANE@ + (start - base) * blocks * BLOCK, size, blocks, next, lines);
                }
            }
            @NAME@_fetch_outputs(r, y, first + base, strip * @STRIP@, blocks);
            for (int group = low; group < high; group++) {
                const int start = @NAME@_start(group, groups, tiles), next = @NAME@_start(group + 1, groups, tiles);
                @STATISTICS_BEGIN@
                @NAME@_outputs(m + (start - base) * blocks * BLOCK, bias, r, y, first + start, next - start, base + count - next,
                               strip * @STRIP@, blocks@STATISTICS_ARGUMENT@);
                @STATISTICS_END@
            }
        }
        if (@SHARED@ && i + 1 < to) {
            BARRIER
        }
    }
    if (@STREAM@) STREAM_FENCE();
}
