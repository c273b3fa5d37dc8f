/* The biases, zeros up to a whole block; NULL: zeros. */
static void pack_bias(float *to, int blocks, const float *bias, int outputs, int thread)
{
    if (thread != 0) return;
    for (int o = 0; o < blocks * BLOCK; o++) to[o] = bias != NULL && o < outputs ? bias[o] : 0.0f;
}
