/* m[tile][output] = v[block][tile][16 lanes] * u[block][16 lanes][output] for @TILES@ tiles and @STRIP@ blocks of outputs: one
 * frequency of a Winograd convolution. */
OUTLINE void winograd_product_@TILES@x@STRIP@(const float *restrict v, const float *restrict u, float *restrict m, int blocks)
{
    enum { WIDTH = @STRIP@ * VECTORS };
    vec acc[@TILES@ * WIDTH];
    UNROLL
    for (int i = 0; i < @TILES@ * WIDTH; i++) acc[i] = SPLAT(0.0f);
    ROLLED
    for (int b = 0; b < blocks; b++, v += @TILES@ * BLOCK)
        u = multiply(acc, 1, @TILES@, WIDTH, v, 0, BLOCK, 1, BLOCK, u, 2048);
    UNROLL
    for (int i = 0; i < @TILES@ * WIDTH; i++) PUT(m + i * VL, acc[i]);
}
