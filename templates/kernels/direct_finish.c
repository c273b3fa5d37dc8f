/* @TEXT@ */
OUTLINE void @NAME@(const direct *c, const direct_tile *t, const vec *sums, const direct_sums sizes, const int row, const int block)
{
    const ptrdiff_t step = c->y.col;
    float *line = direct_line(c, t, row, block);
    @LINE@
    int j = 0;
    for (int tile = 0; tile < sizes.tiles; tile++, sums += sizes.apart) {
        @GATHER@
        ROLLED
        for (int i = 0; i < sizes.cols; i++, j++) {
            UNROLL
            for (int n = 0; n < VECTORS; n++) {
                float *to = line + j * step + n * VL;
                vec v = sums[i * sizes.step + n];
                @EPILOGUE@
                @STORE@(to, v);
            }
        }
    }
}
