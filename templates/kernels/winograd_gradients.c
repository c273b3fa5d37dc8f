/* The transforms that the gradient of a 3 x 3 kernel takes by F(@M@ x @M@, 3 x 3), beside that of the inputs: from
 * Y = A' [(G g G') * (B' d B)] A follows dg = G' [(A dY A') * (B' d B)] G, summed over tiles before G comes in. */

/* t = A y for one line of outputs. */
INLINE void winograd@M@_gradient_line(const vec *y, vec *t)
{
    @GRADIENT@
}

/* w = G' t for one line of elements. */
INLINE void winograd@M@_kernel_line(const vec *t, vec *w)
{
    @KERNEL@
}

/* A dY A' of one tile and one block of outputs: `rows` x `cols` pixels from dy on, the rest of the tile zeros; the value for
 * element f goes to d + f * plane. */
OUTLINE void winograd@M@_gradient(const float *restrict dy, const ptrdiff_t row, const int rows, const int cols,
                                  float *restrict d, const ptrdiff_t plane)
{
    for (int n = 0; n < VECTORS; n++) {
        vec columns[@N@][@M@];
        ROLLED
        for (int j = 0; j < @M@; j++) {
            vec y[@M@], t[@N@];
            UNROLL
            for (int i = 0; i < @M@; i++) {
                y[i] = SPLAT(0.0f);
                if (i < rows && j < cols) y[i] = AT(dy + i * row + j * BLOCK + n * VL);
            }
            winograd@M@_gradient_line(y, t);
            UNROLL
            for (int i = 0; i < @N@; i++) columns[i][j] = t[i];
        }
        float *to = d + n * VL;
        ROLLED
        for (int i = 0; i < @N@; i++) {
            vec t[@N@];
            winograd@M@_gradient_line(columns[i], t);
            UNROLL
            for (int j = 0; j < @N@; j++, to += plane) PUT(to, t[j]);
        }
    }
}

/* G' u G of one vector, whose value for element f is at u + f * plane; the value for tap k goes to u + k * plane. */
INLINE void winograd@M@_kernel(float *u, const ptrdiff_t plane)
{
    vec columns[3][@N@];
    ROLLED
    for (int j = 0; j < @N@; j++) {
        vec t[@N@], w[3];
        UNROLL
        for (int i = 0; i < @N@; i++) t[i] = AT(u + (i * @N@ + j) * plane);
        winograd@M@_kernel_line(t, w);
        UNROLL
        for (int i = 0; i < 3; i++) columns[i][j] = w[i];
    }
    UNROLL
    for (int i = 0; i < 3; i++) {
        vec w[3];
        winograd@M@_kernel_line(columns[i], w);
        UNROLL
        for (int j = 0; j < 3; j++) PUT(u + (i * 3 + j) * plane, w[j]);
    }
}
