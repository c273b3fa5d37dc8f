/* Transforms tiles of @M@ x @M@ outputs back. @TEXT@ */
OUTLINE void @NAME@(const winograd *c, const winograd_group *g)
{
    const int rows = (c->rows + @M@ - 1) / @M@, cols = (c->cols + @M@ - 1) / @M@, blocks = g->blocks;
    const place y = c->y;
    int image = g->tile / (rows * cols), top = g->tile / cols % rows * @M@, left = g->tile % cols * @M@;
    if (g->begins) winograd_fetch(c, g, image, top, left, @M@, @STORES@, @ADDS@);
    for (int tile = 0; tile < g->tiles; tile++) {
        const int end_row = c->rows - top < @M@ ? c->rows - top : @M@, end_col = c->cols - left < @M@ ? c->cols - left : @M@;
        /* The tile that comes next. */
        int next_image = image, next_top = top, next_left = left + @M@;
        if (next_left >= c->cols) next_left = 0, next_top += @M@;
        if (next_top >= c->rows) next_top = 0, next_image++;
        if (tile + 1 < g->tiles + g->following) winograd_fetch(c, g, next_image, next_top, next_left, @M@, @STORES@, @ADDS@);
        for (int b = 0; b < blocks; b++) {
            const int block = g->block + b;
            float *corner = g->arena + y.at + image * y.image + top * y.row + left * y.col + winograd_block(c, block);
            @LINE@
            ROLLED
            for (int n = 0; n < VECTORS; n++) {
                vec sums[@M@ * @M@];
                winograd@M@_output(g->products + (tile * blocks + b) * BLOCK + n * VL, c->m_plane, sums);
                const vec start = AT(g->bias + block * BLOCK + n * VL);
                ROLLED
                for (int i = 0; i < end_row; i++) {
                    ROLLED
                    for (int j = 0; j < end_col; j++) {
                        float *to = corner + i * y.row + j * y.col + n * VL;
                        vec v = sums[i * @M@ + j] + start;
                        @EPILOGUE@
                        @STORE@(to, v);
                        @KEEP@
                    }
                }
                @ADD@
            }
        }
        image = next_image, top = next_top, left = next_left;
    }
}
