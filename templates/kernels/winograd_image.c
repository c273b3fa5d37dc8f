/* The @N@ x @N@ inputs of one tile, from row `row` and column `col` on, out of the caller's planar image through a space-to-depth by
 * @SCALE@: [row][column][16 lanes] in `to`, which comes as zeros and stays so where the image ends. */
static const float *@NAME@(const float *images, const int image, const int row, const int col, vec *to)
{
    enum { PLANE = @IN_ROWS@ * @IN_COLS@ };
    const float *from = images + image * (ptrdiff_t)(@CHANNELS@ * PLANE);
    const int top = row < 0 ? -row : 0, left = col < 0 ? -col : 0;
    const int bottom = @IN_ROWS@ / @SCALE@ - row < @N@ ? @IN_ROWS@ / @SCALE@ - row : @N@;
    const int right = @IN_COLS@ / @SCALE@ - col < @N@ ? @IN_COLS@ / @SCALE@ - col : @N@;
    for (int i = top; i < bottom; i++) {
        /* What the tile after the next reads: its lines are too many streams for the processor to foresee. */
        const float *ahead = from + (row + i) * @SCALE@ * (ptrdiff_t)@IN_COLS@ + (col + 2 * @N@) * @SCALE@;
        for (int line = 0; line < @CHANNELS@ * @SCALE@; line++)
            PREFETCH(ahead, line / @SCALE@ * PLANE + line % @SCALE@ * @IN_COLS@, 0);
        ROLLED
        for (int j = left; j < right; j++) {
            const float *p = from + (row + i) * @SCALE@ * (ptrdiff_t)@IN_COLS@ + (col + j) * @SCALE@;
            float *lanes = (float *)(to + (i * @N@ + j) * VECTORS);
            @GATHER@
        }
    }
    return (const float *)to;
}
