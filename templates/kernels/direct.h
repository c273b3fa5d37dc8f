/* Direct convolution, blocked layout.
 *
 * Layout. A stored tensor is [image][row][block][column][16]: 16 channels lie together, rows are outermost, and a halo of
 * zeros around it stands for the padding, so that no border is ever tested. Steps are in floats.
 *
 * Algorithm. A register tile holds tile_rows x tile_cols pixels of one strip (`strip` blocks of 16 output channels). Its
 * accumulators start from the bias, or from the sums of another convolution, run over the whole reduction (source, block,
 * tap row, tap column, lane) and are stored once, through the epilogue. The weights are packed in that very order, so each
 * tile reads its strip's weights as one forward stream: [strip][source][block][tap row][tap column][16 lanes][outputs of
 * the strip]. Each output value is summed in that order by one thread: it does not depend on tile, thread or threads.
 *
 * Preconditions. All addresses and all steps are multiples of 64 bytes. Halos hold zeros; padded lanes hold finite numbers and
 * meet zero weights. What is written overlaps nothing that is read. tile_rows is 1 unless tile_cols = cols; unit_rows is a
 * multiple of tile_rows.
 */
typedef struct direct direct;

/* How many vectors a register tile has, and how many tiles are finished together, at most: their sums stay in the first cache. */
enum { TILE = @TILE@, TOGETHER = 8 };

/* A view that a layer reads, at the row at hand: what the first pixel reads, steps as in `source`, and how far ahead of that lies what the
 * tile rows_ahead rows further down will read for the first time, its lowest tap row. */
typedef struct {
    const float *at;
    ptrdiff_t row, tap_row, tap_col, block, ahead;
    int blocks;
} direct_view;

/* The tile at hand: its views, where its strip's weights and the biases lie, its first pixel and block of outputs, and how many blocks of
 * inputs it passes before it is its turn to fetch one ahead, and every how many. */
typedef struct {
    direct_view x[@VIEWS@];
    int views;
    const float *w, *bias;
    float *arena;
    int image, row, col, block, turn, period;@GATHERED@
} direct_tile;

/* The sums of a line: `tiles` tiles of `cols` pixels, `apart` vectors from tile to tile and `step` from pixel to pixel. */
typedef struct { int tiles, cols, apart, step; } direct_sums;

struct direct {
    int images, rows, cols, blocks; /* of the output; blocks of 16 channels */
    int kh; /* tap rows */
    int groups; /* of as many blocks each; the inputs of a group lie x_group floats after those of the one before */
    int depth; /* products that make up an output: inputs by taps, with those that fill the last block */
    ptrdiff_t x_group, w, bias;
    const source *x; /* what is read */
    int sources;
    place y, r, start; /* what is written, what is added, and what sums start from in place of the bias */@BLOCKS_FIELD@
    int strip, tile_rows, tile_cols;
    int unit_rows, strip_major; /* rows of a work unit, and whether units run strip by strip */
    int rows_ahead, streams; /* rows of the output between a fetch and its use, or 0; whether the output goes past the caches */
    /* `tiles` tiles, one right of the other, at most TOGETHER; moves *t past them. For whole strips and for the last if it is
     * narrower: whole tiles, the last of a row, one of the last rows. */
    void (*tile[2][3])(const direct *, direct_tile *, int tiles);
    /* What is done with the sums of a row and a block of outputs: the epilogue and the store. */
    void (*finish)(const direct *, const direct_tile *, const vec *sums, direct_sums, int row, int block);
};

/* Where the tile's first pixel of a row and a block of outputs lies. */
INLINE float *direct_line(const direct *c, const direct_tile *t, const int row, const int block)
{
    return t->arena + c->y.at + t->image * c->y.image + row * c->y.row + @BLOCK@ + t->col * c->y.col;
}

/* Lets the views of a tile begin at its row; the inputs of its group are `shift` floats after the first. */
INLINE void direct_row(const direct *c, direct_tile *t, const ptrdiff_t shift)
{
    t->views = 0;
    for (const source *s = c->x; s < c->x + c->sources; s++) {
        const float *row = t->arena + shift + t->image * s->image + t->row / s->repeat * s->row;
        const direct_view x = {NULL, s->row, s->tap_row, s->tap_col, s->block, c->rows_ahead * s->row + (c->kh - 1) * s->tap_row, s->blocks};
        for (int i = 0; i < s->count; i++) {
            t->x[t->views] = x;
            t->x[t->views++].at = row + s->at[i];
        }
    }
}

/* Lets the sums of the tile at column `col` start from the bias, or from those of another convolution, each of which stands for
 * started x started pixels. */
INLINE void direct_begin(const direct *c, const direct_tile *t, const int col, vec *acc, const int rows, const int cols, const int blocks,
                         const int started)
{
    const int vectors = blocks * VECTORS;
    if (started == 0) {
        UNROLL
        for (int i = 0; i < rows * cols; i++) {
            UNROLL
            for (int n = 0; n < vectors; n++) acc[i * vectors + n] = AT(t->bias + t->block * BLOCK + n * VL);
        }
        return;
    }
    const float *from = t->arena + c->start.at + t->image * c->start.image + t->block * c->start.block;
    UNROLL
    for (int i = 0; i < rows * cols; i++) {
        const float *pixel = from + (t->row / started + i / cols / started) * c->start.row +
                             (col / started + i % cols / started) * c->start.col;
        UNROLL
        for (int n = 0; n < vectors; n++) acc[i * vectors + n] = AT(pixel + n / VECTORS * c->start.block + n % VECTORS * VL);
    }
}

/* Fetches pixels [first, first + count) of the lines that a tile will be stored to, unless the store goes past the caches. */
INLINE void direct_fetch(const direct *c, const float *const *y, const int lines, const int first, const int count)
{
    if (c->streams) return;
    const ptrdiff_t step = c->y.col;
    ROLLED
    for (int i = 0; i < lines; i++) {
        UNROLL
        for (int j = 0; j < count; j++) PREFETCH_STORE(y[i] + (first + j) * step);
    }
}

/* Adds the inputs of views [first, last) to the sums of the tile at column `col`. Literals are the size of the tile, the taps, the step from
 * pixel to pixel, how many pixels share an input, and how many floats ahead weights are fetched. Returns the end of the weights read.
 *
 * On the way it fetches inputs ahead, for every period-th block, so that the strips, which all read the same input, share the work in turns. */
INLINE const float *direct_add(const direct_tile *t, const int col, vec *acc, const int rows, const int cols, const int blocks,
                               const float *w, int *turn, const int first, const int last, const int kh, const int kw,
                               const ptrdiff_t pixel, const int repeat, const int weights_ahead)
{
    ROLLED
    for (const direct_view *x = t->x + first; x < t->x + last; x++) {
        const ptrdiff_t row = x->row, tap_row = x->tap_row, tap_col = x->tap_col;
        const float *p = x->at + col / repeat * pixel;
        int b = x->blocks;
        ROLLED
        do {
            if ((*turn)-- == 0) {
                *turn = t->period - 1;
                UNROLL
                for (int j = 0; j < cols; j += repeat) PREFETCH(p, x->ahead + j / repeat * pixel, 1);
            }
            ROLLED
            for (int ky = 0; ky < kh; ky++) {
                ROLLED
                for (int kx = 0; kx < kw; kx++)
                    w = multiply(acc, rows, cols, blocks * VECTORS, p + ky * tap_row + kx * tap_col, row, pixel, repeat, BLOCK, w,
                                 weights_ahead);
            }
            p += x->block;
        } while (--b > 0);
    }
    return w;
}

/* Puts a tile's sums into memory, [pixel][output]: the epilogue's constants would take registers from the accumulators. */
INLINE void direct_keep(vec *sums, const vec *acc, const int count)
{
    UNROLL
    for (int i = 0; i < count; i++) sums[i] = acc[i];
}

/* The lines of a tile, its rows of each block of outputs: where they will be stored. */
INLINE void direct_lines(const direct *c, const direct_tile *t, const float **y, const int rows, const int blocks)
{
    for (int i = 0; i < rows * blocks; i++) y[i] = direct_line(c, t, t->row + i / blocks, t->block + i % blocks);
}

/* Finishes the lines of `tiles` tiles. */
INLINE void direct_end(const direct *c, direct_tile *t, const vec *sums, const int rows, const int cols, const int blocks, const int tiles)
{
    const direct_sums sizes = {tiles, cols, rows * cols * blocks * VECTORS, blocks * VECTORS};
    for (int i = 0; i < rows * blocks; i++)
        c->finish(c, t, sums + (i / blocks * cols * blocks + i % blocks) * VECTORS, sizes, t->row + i / blocks, t->block + i % blocks);
    t->col += tiles * cols;
}

/* `tiles` tiles whose views are alike. All but the first three arguments are literals; see direct_add. */
INLINE void direct_tiles(const direct *c, direct_tile *t, const int tiles, const int rows, const int cols, const int blocks,
                         const int kh, const int kw, const ptrdiff_t pixel, const int repeat, const int weights_ahead, const int started)
{
    vec sums[TOGETHER * TILE];
    const float *y[TILE];
    direct_lines(c, t, y, rows, blocks);
    for (int i = 0; i < tiles; i++) {
        const int col = t->col + i * cols;
        int turn = t->turn;
        vec acc[TILE];
        direct_begin(c, t, col, acc, rows, cols, blocks, started);
        direct_fetch(c, y, rows * blocks, i * cols, cols);
        direct_add(t, col, acc, rows, cols, blocks, t->w, &turn, 0, t->views, kh, kw, pixel, repeat, weights_ahead);
        direct_keep(sums + i * rows * cols * blocks * VECTORS, acc, rows * cols * blocks * VECTORS);
    }
    direct_end(c, t, sums, rows, cols, blocks, tiles);
}
