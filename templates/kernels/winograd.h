/* 3 x 3 convolution of stride 1 by Winograd's minimal filtering, blocked layout.
 *
 * Algorithm. The output is cut into tiles of m x m pixels, numbered image by image, row by row. Each tile's (m + 2)^2 inputs
 * are transformed into as many Winograd-domain elements; for each element the tiles' inputs are multiplied by its transformed
 * weights, a matrix product with the whole reduction in registers; what comes out is transformed back, through the epilogue.
 * `tiles` tiles at a time (a block) are transformed, so that their elements V stay in a cache; the weights are packed in the
 * order of their use, [strip][element][source][block][16 lanes][outputs of the strip], one forward stream.
 *     V: [element][group of tiles][block of inputs][tile of the group][16 lanes], the planes of two elements v_plane apart
 *     M: [element][tile][outputs of the strip], one strip and chunk of tiles at a time, planes m_plane apart
 * Both are an odd number of cache lines, so that the planes fall into different sets.
 *
 * Threads. Either each has its own blocks of tiles and its own V (shared 0), or all work on one block (shared 1): they
 * share the transform, meet, and share strips and chunks, so that each weight is read by one thread alone. Each output value is
 * computed in the same order whoever computes it.
 *
 * Preconditions. As for the direct convolution; halos cover what tiles that overhang the output read.
 */
typedef struct winograd winograd;

/* A group of tiles that is transformed back: the products M of `blocks` blocks of outputs, the first of them `block`, and the
 * numbers of the tiles, the first and how many, and how many more will follow. */
typedef struct {
    const float *products, *bias;
    float *arena;
    int tile, tiles, following, block, blocks, begins;@GATHERED@
} winograd_group;

struct winograd {
    int images, rows, cols, blocks; /* of the output; blocks of 16 channels */
    int in_blocks; /* blocks of inputs of all sources */
    ptrdiff_t w, bias, v; /* v: where V lies if it is shared */
    const source *x; /* what is read */
    int sources;
    place y, r; /* what is written and what is added */@BLOCKS_FIELD@
    int m, strip; /* edge of a tile; blocks of outputs in a strip, of which the last may have fewer */
    int tiles, group, chunk; /* tiles in a block; tiles in a register tile and groups in a chunk, at most */
    ptrdiff_t v_plane, m_plane;
    int shared, fetches; /* see above; whether a thread fetches the inputs of its next block ahead */
    int streams; /* whether the output goes past the caches */
    /* B' d B of tiles [first, first + tiles): of all pairs (block of inputs, tile), numbered in this order, those in [low, high). */
    void (*read)(const winograd *, const float *x, float *v, int first, int tiles, int low, int high);
    /* A' m A of a group, the epilogue and the store. */
    void (*write)(const winograd *, const winograd_group *);
};

/* Where tile group `group` of `groups` begins in a block of `tiles` tiles: groups of equal size, give or take one. */
INLINE int winograd_start(int group, int groups, int tiles) { return group * tiles / groups; }

/* Where block number `block` of the output begins. */
INLINE ptrdiff_t winograd_block(const winograd *c, const int block) { return @BLOCK@; }

/* The inputs of the next block of tiles, which a thread fetches while it multiplies: `due` of `parts` of them by now. */
typedef struct {
    const source *s;
    int view, block, first, tiles, tile, image, row, col;
    int64_t left, due, parts;
} winograd_ahead;

/* Begins with the inputs of tiles [first, first + tiles), to be fetched in `parts` parts. */
INLINE void winograd_begin(const winograd *c, winograd_ahead *a, const int first, const int tiles, const int64_t parts)
{
    a->s = c->x, a->view = a->block = a->tile = 0;
    a->first = first, a->tiles = tiles;
    a->left = (int64_t)c->in_blocks * tiles, a->due = 0, a->parts = parts;
}

/* Fetches one part: of each tile and block of inputs all but the first two columns, which the neighbour on the left fetches. */
INLINE void winograd_continue(const winograd *c, winograd_ahead *a, const float *x)
{
    const int rows = (c->rows + c->m - 1) / c->m, cols = (c->cols + c->m - 1) / c->m;
    for (a->due += a->left; a->due >= a->parts; a->due -= a->parts) {
        if (a->tile == 0) a->image = a->first / (rows * cols), a->row = a->first / cols % rows, a->col = a->first % cols;
        const source *s = a->s;
        const float *p = x + s->at[a->view] + a->block * s->block + a->image * s->image + a->row * c->m * s->row + a->col * c->m * s->col;
        for (int i = 0; i < c->m + 2; i++, p += s->row) {
            for (int j = 2; j < c->m + 2; j++) PREFETCH(p, j * s->col, 1);
        }
        if (++a->col == cols) a->col = 0, a->row++;
        if (a->row == rows) a->row = 0, a->image++;
        if (++a->tile == a->tiles) a->tile = 0, a->block++;
        if (a->block == s->blocks) a->block = 0, a->view++;
        if (a->view == s->count) a->view = 0, a->s++;
    }
}

/* Fetches what transforming a tile back will touch, whose first output is (image, row, col): the residual if there is one, and the
 * output unless it goes past the caches. m, stores and adds are literals. */
INLINE void winograd_fetch(const winograd *c, const winograd_group *g, const int image, const int row, const int col, const int m,
                           const int stores, const int adds)
{
    for (int block = g->block; block < g->block + g->blocks; block++) {
        const float *to = g->arena + c->y.at + image * c->y.image + row * c->y.row + col * c->y.col + winograd_block(c, block);
        const float *r = g->arena + c->r.at + image * c->r.image + row * c->r.row + col * c->r.col + block * c->r.block;
        ROLLED
        for (int i = 0; i < m; i++, to += c->y.row, r += c->r.row) {
            UNROLL
            for (int j = 0; j < m; j++) {
                if (stores) PREFETCH_STORE(to + j * c->y.col);
                if (adds) PREFETCH(r, j * BLOCK, 0);
            }
        }
    }
}
