/* Transforms the inputs of tiles of @M@ x @M@ outputs@TEXT@. */
static void @NAME@(const winograd *c, const float *x, float *restrict v, const int first, const int tiles, const int low, const int high)
{
    const int rows = (c->rows + @M@ - 1) / @M@, cols = (c->cols + @M@ - 1) / @M@, groups = (tiles + c->group - 1) / c->group;
    int block = 0;
    for (const source *s = c->x; s < c->x + c->sources; s++) {
        const ptrdiff_t line = s->row, pixel = @PIXEL@;
        for (int b = 0; b < s->count * s->blocks; b++, block++) {
            int tile = low - block * tiles, end = high - block * tiles;
            if (tile < 0) tile = 0;
            if (end > tiles) end = tiles;
            if (tile >= end) continue;
            int group = 0, image = (first + tile) / (rows * cols);
            int row = (first + tile) / cols % rows, col = (first + tile) % cols;
            while (winograd_start(group + 1, groups, tiles) <= tile) group++;
            int start = winograd_start(group, groups, tiles), size = winograd_start(group + 1, groups, tiles) - start;
            @CORNER@
            for (; tile < end; tile++) {
                if (tile == start + size) {
                    group++, start = tile;
                    size = winograd_start(group + 1, groups, tiles) - start;
                }
                const float *p = @INPUT@;
                winograd@M@_input(p, line, pixel, v + (start * (ptrdiff_t)c->in_blocks + block * size + tile - start) * BLOCK, c->v_plane);
                if (++col == cols) {
                    col = 0;
                    if (++row == rows) row = 0, image++;
                }
            }
        }
    }
}
