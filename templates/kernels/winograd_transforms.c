/* Winograd's minimal filtering F(@M@ x @M@, 3 x 3): a tile of @M@ x @M@ outputs of a 3 x 3 convolution comes from @N@ x @N@ inputs by
 * @N@ * @N@ products instead of @M@ * @M@ * 9. Points: @POINTS@ and infinity. With B, G and A of these points,
 * Y = A' [(G g G') * (B' d B)] A; the weights' part G g G' is packed. */

INLINE void winograd@M@_input_line(const vec *d, vec *t)
{
    @INPUT@
}

INLINE void winograd@M@_output_line(const vec *t, vec *y)
{
    @OUTPUT@
}

/* B' d B of one tile and one block of inputs. `x` is the first pixel; the value for element f goes to v + f * plane. */
OUTLINE void winograd@M@_input(const float *restrict x, const ptrdiff_t row, const ptrdiff_t pixel, float *restrict v,
                               const ptrdiff_t plane)
{
    for (int n = 0; n < VECTORS; n++) {
        vec columns[@N@][@N@];
        ROLLED
        for (int j = 0; j < @N@; j++) {
            vec d[@N@], t[@N@];
            UNROLL
            for (int i = 0; i < @N@; i++) d[i] = AT(x + i * row + j * pixel + n * VL);
            winograd@M@_input_line(d, t);
            UNROLL
            for (int i = 0; i < @N@; i++) columns[i][j] = t[i];
        }
        float *to = v + n * VL;
        ROLLED
        for (int i = 0; i < @N@; i++) {
            vec t[@N@];
            winograd@M@_input_line(columns[i], t);
            UNROLL
            for (int j = 0; j < @N@; j++, to += plane) PUT(to, t[j]);
        }
    }
}

/* A' m A of one tile and one vector of outputs, whose value for element f is at m + f * plane: y[row][column]. */
INLINE void winograd@M@_output(const float *m, const ptrdiff_t plane, vec *y)
{
    vec columns[@M@][@N@];
    ROLLED
    for (int j = 0; j < @N@; j++) {
        vec t[@N@], s[@M@];
        UNROLL
        for (int i = 0; i < @N@; i++) t[i] = AT(m + (i * @N@ + j) * plane);
        winograd@M@_output_line(t, s);
        UNROLL
        for (int i = 0; i < @M@; i++) columns[i][j] = s[i];
    }
    ROLLED
    for (int i = 0; i < @M@; i++) winograd@M@_output_line(columns[i], y + i * @M@);
}
