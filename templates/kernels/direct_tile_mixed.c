/* @ROWS@ x @COLS@ pixels by @STRIP@ blocks of outputs, @TEXT@. */
OUTLINE void @NAME@(const direct *c, direct_tile *t, const int tiles)
{
    enum { ROWS = @ROWS@, COLS = @COLS@, BLOCKS = @STRIP@ };
    vec sums[TOGETHER * TILE];
    const float *y[TILE];
    direct_lines(c, t, y, ROWS, BLOCKS);
    for (int i = 0; i < tiles; i++) {
        const int col = t->col + i * COLS;
        const float *w = t->w;
        int turn = t->turn;
        vec acc[TILE];
        direct_begin(c, t, col, acc, ROWS, COLS, BLOCKS, @STARTED@);
        direct_fetch(c, y, ROWS * BLOCKS, i * COLS, COLS);
        @SEGMENTS@
        direct_keep(sums + i * ROWS * COLS * BLOCKS * VECTORS, acc, ROWS * COLS * BLOCKS * VECTORS);
    }
    direct_end(c, t, sums, ROWS, COLS, BLOCKS, tiles);
}
