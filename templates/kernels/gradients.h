/* What gradients of weights have in common: products of inputs and outputs summed over pixels, and the way of these sums, outputs side by
 * side, into PyTorch's order. After the prelude. */

/* acc[input][vector] += x[input] * dy[vector] for `cols` pixels of x, x_step floats apart, each read by `repeat` pixels of dy, dy_step
 * floats apart.
 *
 * All arguments but acc, offset and addresses are literals (cols need not be): what is left per pixel is one load for each vector
 * of dy, one broadcast for each input and their products, with acc in registers. Vector n of dy is offset[n] from its first. */
INLINE void multiply_pixels(vec *acc, const int inputs, const int vectors, const float *x, const float *dy,
                            const ptrdiff_t *offset, const int cols, const ptrdiff_t x_step, const ptrdiff_t dy_step,
                            const int repeat)
{
    UNROLL_BY_2
    for (int col = 0; col < cols; col++) {
        vec g[BLOCK];
        UNROLL
        for (int n = 0; n < vectors; n++) {
            g[n] = AT(dy + offset[n] + col * repeat * dy_step);
            UNROLL
            for (int k = 1; k < repeat; k++) g[n] += AT(dy + offset[n] + (col * repeat + k) * dy_step);
        }
        UNROLL
        for (int i = 0; i < inputs; i++) {
            const float s = x[col * x_step + i];
            UNROLL
            for (int n = 0; n < vectors; n++) acc[i * vectors + n] += s * g[n];
        }
    }
}

/* slab[input][vector] += acc, or = acc. */
INLINE void put_sums(float *slab, vec *acc, const int count, const int add)
{
    if (add) {
        UNROLL
        for (int i = 0; i < count; i++) acc[i] += AT(slab + i * VL);
    }
    UNROLL
    for (int i = 0; i < count; i++) PUT(slab + i * VL, acc[i]);
}

/* Writes, or adds, v to any address of floats. */
INLINE void put_unaligned(float *to, const vec *v, const int add)
{
    vec sum = *v;
    if (add) {
        vec old;
        memcpy(&old, to, sizeof old);
        sum += old;
    }
    memcpy(to, &sum, sizeof sum);
}

/* Where the gradients of one output begin, `size` numbers for each: outputs starts[k] and on are those of part k. */
INLINE float *gradients_of(float *const parts[], const int *starts, const int count, const int output, const ptrdiff_t size)
{
    int k = count - 1;
    while (starts[k] > output) k--;
    return parts[k] + (output - starts[k]) * size;
}

/* Adds `count` slabs, `apart` floats from one to the next, and stores the gradients of `lanes` inputs, the first of which is number
 * `input` of the weights and the next `stride` further on, for `outputs` outputs from `output` on.
 * Slab: [tap][16 inputs][vectors of outputs]; dw: for each output [inputs][taps]. */
INLINE void store_gradients(float *const dw[], const int *starts, const int parts, const float *slab, const int count,
                            const ptrdiff_t apart, const int vectors, const int taps, const int lanes, const int input,
                            const int stride, const ptrdiff_t inputs, const int output, const int outputs, const int add)
{
    const int rows = lanes * taps; /* pairs (input, tap), which is how an output's weights lie */
    for (int row = 0; row < rows; row += VL) {
        const int height = rows - row < VL ? rows - row : VL;
        for (int n = 0; n < vectors && n * VL < outputs; n++) {
            const int width = outputs - n * VL < VL ? outputs - n * VL : VL;
            vec lines[VL];
            for (int i = 0; i < VL; i++) {
                const int at = i < height ? row + i : row;
                const float *line = slab + ((at % taps * BLOCK + at / taps) * vectors + n) * VL;
                lines[i] = AT(line);
                for (int c = 1; c < count; c++) lines[i] += AT(line + c * apart);
            }
            if (height == VL && stride == 1) {
                transpose(lines);
                for (int o = 0; o < width; o++)
                    put_unaligned(gradients_of(dw, starts, parts, output + n * VL + o, inputs * taps) +
                                      (ptrdiff_t)input * taps + row, lines + o, add);
                continue;
            }
            const float *values = (const float *)lines;
            for (int o = 0; o < width; o++) {
                float *to = gradients_of(dw, starts, parts, output + n * VL + o, inputs * taps);
                for (int i = 0; i < height; i++) {
                    float *w = to + (input + (ptrdiff_t)((row + i) / taps) * stride) * taps + (row + i) % taps;
                    *w = add ? *w + values[i * VL + o] : values[i * VL + o];
                }
            }
        }
    }
}
