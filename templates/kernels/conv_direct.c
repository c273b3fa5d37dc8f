/* A direct convolution@TEXT@: computes the share of thread `thread` of `threads`, an equal share of the units, a unit being unit_rows
 * rows (a band) of one strip. Units run strip by strip where the weights are the larger stream, else band by band. */
OUTLINE void @NAME@(const direct *c, const float *weights, float *arena@SLOTS@, const int thread, const int threads)
{
    const int bands = c->images * ((c->rows + c->unit_rows - 1) / c->unit_rows), strips = (c->blocks + c->strip - 1) / c->strip;
    const int units = bands * c->groups * strips, last = (int)((int64_t)units * (thread + 1) / threads);
    for (int unit = (int)((int64_t)units * thread / threads); unit < last; unit++) {
        const int all = c->strip_major ? unit / bands : unit % (c->groups * strips); /* strips of all groups */
        const int band = c->strip_major ? unit % bands : unit / (c->groups * strips);
        const int group = all / strips, strip = all % strips, first = strip * c->strip;
        const int narrow = c->blocks - first < c->strip;
        const int per_image = bands / c->images, top = band % per_image * c->unit_rows;
        const int end = top + c->unit_rows < c->rows ? top + c->unit_rows : c->rows;
        direct_tile t;
        t.arena = arena, t.bias = weights + c->bias, t.w = weights + c->w + (group * c->blocks + first) * (ptrdiff_t)c->depth * BLOCK;
        t.image = band / per_image, t.block = group * c->blocks + first;
        t.turn = c->rows_ahead == 0 ? -1 : c->strip_major ? 0 : strip, t.period = c->strip_major ? 1 : strips;
        @BEGIN@
        for (t.row = top; t.row + c->tile_rows <= end; t.row += c->tile_rows) {
            t.col = 0;
            direct_row(c, &t, group * c->x_group);
            for (int left = c->cols / c->tile_cols; left > 0; left -= TOGETHER)
                c->tile[narrow][0](c, &t, left < TOGETHER ? left : TOGETHER);
            if (t.col < c->cols) c->tile[narrow][1](c, &t, 1);
        }
        if (t.row < end) {
            t.col = 0;
            direct_row(c, &t, group * c->x_group);
            c->tile[narrow][2](c, &t, 1);
        }
        @END@
    }
    if (c->streams) STREAM_FENCE();
}
