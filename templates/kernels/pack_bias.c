/* Where the sums of outputs `first` and on start: the bias, or what normalisation leaves of it. */
static void pack_bias(float *to, const float *bias, int first, int outputs, const batch_norm *norm, int thread,
                      int threads)
{
    for (int o = share(outputs, thread, threads); o < share(outputs, thread + 1, threads); o++)
        to[first + o] = (float)norm_shift(norm, o, bias == NULL ? 0.0 : bias[o]);
}
