/* Scales and shifts of a normalisation on its own, `width` of each per phase: phases = 1, or 4 where it is hoisted over a space-to-depth,
 * whose phase p = 2 * row + column of channel c is its channel first[p] + c * stride[p]. */
static void pack_norm(float *scales, float *shifts, int width, int channels, int phases, const int *first, const int *stride,
                      const batch_norm *norm, int thread, int threads)
{
    for (int phase = 0; phase < phases; phase++) {
        for (int c = share(channels, thread, threads); c < share(channels, thread + 1, threads); c++) {
            const int from = first[phase] + c * stride[phase];
            scales[phase * width + c] = (float)norm_scale(norm, from);
            shifts[phase * width + c] = (float)norm_shift(norm, from, 0.0);
        }
    }
}
