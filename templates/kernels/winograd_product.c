/* m[tile][output] = v[block][tile][16 lanes] * u[block][16 lanes][output] for @TILES@ tiles and @STRIP@ blocks of outputs: one
 * element of a Winograd convolution. With each block of inputs come `lines` cache lines from `next`. The accumulators are
 * variables and no array, which compilers do not always keep in registers. */
OUTLINE void @NAME@(const float *restrict v, const float *restrict u, float *restrict m, int blocks, const float *next,
                    int lines)
{
    enum { WIDTH = @STRIP@ * VECTORS };
    @ACCUMULATORS@
    ROLLED
    for (int b = 0; b < blocks; b++, v += @TILES@ * BLOCK, next += lines * BLOCK) {
        ROLLED
        for (int i = 0; i < lines; i++) PREFETCH(next, i * BLOCK, 1);
        UNROLL_BY_2
        for (int lane = 0; lane < BLOCK; lane++, u += WIDTH * VL) {
            float s;
            @WEIGHTS@
            @MULTIPLY@
        }
    }
    @STORE@
}
