/* @TEXT@ */
OUTLINE void @NAME@(const direct *c, const direct_tile *t, const vec *sums, const int row, const int block, const int cols)
{
    const ptrdiff_t step = c->y.col;
    float *line = direct_line(c, t, row, block);
    @GATHER@
    @LINE@
    ROLLED
    for (int j = 0; j < cols; j++) {
        UNROLL
        for (int n = 0; n < VECTORS; n++) {
            float *to = line + j * step + n * VL;
            vec v = sums[j * VECTORS + n];
            @EPILOGUE@
            @STORE@(to, v);
        }
    }
}
