/* A loss that the model file composes, and its gradient, in one pass over the network's result.
 *
 * Layout. x and dx are [image][row][block][column][16]: the result and its gradient. Padded lanes of dx become 0. Targets
 * are planar, N x C x H x W. Where there are none, the result is a vector and its targets are 1 for the label and 0 for
 * the other classes, with label smoothing e: 1 - e + e/C and e/C.
 *
 * Formula. With y and t a number of the result and its target, losses[0] is the sum of f(y, t) over all numbers, divided
 * by their number, or by that of the images. An image whose label is negative has no part in it. With labels, losses[1]
 * and losses[2] count those whose label is the largest number and among the five largest, as in cross_entropy.
 *
 * Threads. A row of pixels is one thread's; what it loses is stored and summed by the first thread in the order of rows.
 * Sums, also those over the channels of a pixel, are in double precision.
 *
 * Preconditions. _check has been asked; scratch is aligned to 8 bytes. All threads run at the same time, since they meet at
 * a barrier. The texts of training_math.c and composed_math.c come before it.
 *
 * Holes. IMAGES, CHANNELS, ROWS, COLS. X_IMAGE, X_ROW, X_BLOCK, DX_IMAGE, DX_ROW, DX_BLOCK: strides. COUNTED: numbers by
 * which the sum over an image is divided. REDUCTIONS: what is summed over a pixel's channels. LINES: f and its derivative
 * for a vector of channels; LOSS, SLOPE: where they are. SCRATCH: floats of scratch.
 */

/* @NAME@: @IMAGES@ images of @CHANNELS@ x @ROWS@ x @COLS@ numbers. */

struct @NAME@_scratch {
    double loss[@IMAGES@ * @ROWS@];
    int32_t rank[@IMAGES@]; /* how many numbers are ahead of the label's */
};
_Static_assert(sizeof(struct @NAME@_scratch) <= (size_t)@SCRATCH@ * sizeof(float), "the scratch is too small");

/* Whether there are as many targets as numbers, or, where there are none, all labels are classes or negative. */
INLINE int @NAME@_check(const float *targets, const int32_t count, const int32_t *labels)
{
    if (targets != NULL) return count == (int64_t)@IMAGES@ * @CHANNELS@ * @ROWS@ * @COLS@;
    int valid = 1;
    for (int image = 0; image < @IMAGES@; image++) valid &= labels[image] < @CHANNELS@;
    return valid;
}

/* The loss of one pixel; writes its gradient times `scale`. */
INLINE double @NAME@_pixel(const float *x, const float *target, const float scale, float *dx)
{
    enum { PADDED = (@CHANNELS@ + BLOCK - 1) / BLOCK * BLOCK };
    _Alignas(64) float lanes[BLOCK];@REDUCTIONS@
    double sum = 0.0;
    for (int c = 0; c < PADDED; c += VL) {
        const vec y = AT(x + c / BLOCK * (ptrdiff_t)@X_BLOCK@ + c % BLOCK), t = AT(target + c);
        (void)y, (void)t;@LINES@
        PUT(lanes, @LOSS@);
        for (int lane = 0; lane < VL && c + lane < @CHANNELS@; lane++) sum += lanes[lane];
        PUT(dx + c / BLOCK * (ptrdiff_t)@DX_BLOCK@ + c % BLOCK, @SLOPE@ * scale);
    }
    for (int c = @CHANNELS@; c < PADDED; c++) dx[c / BLOCK * (ptrdiff_t)@DX_BLOCK@ + c % BLOCK] = 0.0f;
    return sum;
}

OUTLINE void @NAME@(const float *x, const float *targets, const int32_t *labels, const double smoothing, float *dx,
                    float *losses, void *scratch, int thread, int threads)
{
    struct @NAME@_scratch *s = scratch;
    enum { PADDED = (@CHANNELS@ + BLOCK - 1) / BLOCK * BLOCK, UNITS = @IMAGES@ * @ROWS@ };
    const int ranked = targets == NULL;
    int counted = 0;
    for (int image = 0; image < @IMAGES@; image++) counted += !ranked || labels[image] >= 0;
    const double divisor = (double)counted * @COUNTED@;
    _Alignas(64) float target[PADDED] = {0};
    const int end = (int)((int64_t)UNITS * (thread + 1) / threads);
    for (int unit = (int)((int64_t)UNITS * thread / threads); unit < end; unit++) {
        const int image = unit / @ROWS@, row = unit % @ROWS@;
        const float *from = x + image * (ptrdiff_t)@X_IMAGE@ + row * (ptrdiff_t)@X_ROW@;
        float *to = dx + image * (ptrdiff_t)@DX_IMAGE@ + row * (ptrdiff_t)@DX_ROW@;
        s->loss[unit] = 0.0;
        if (ranked && labels[image] < 0) {
            for (int block = 0; block < PADDED / BLOCK; block++)
                memset(to + block * (ptrdiff_t)@DX_BLOCK@, 0, (size_t)@COLS@ * BLOCK * sizeof(float));
            continue;
        }
        if (ranked) {
            for (int c = 0; c < @CHANNELS@; c++)
                target[c] = (float)(smoothing / @CHANNELS@ + (c == labels[image] ? 1.0 - smoothing : 0.0));
            s->rank[image] = label_rank(from, @X_BLOCK@, @CHANNELS@, labels[image]);
        }
        for (int col = 0; col < @COLS@; col++) {
            for (int c = 0; !ranked && c < @CHANNELS@; c++)
                target[c] = targets[(((ptrdiff_t)image * @CHANNELS@ + c) * @ROWS@ + row) * @COLS@ + col];
            s->loss[unit] += @NAME@_pixel(from + col * BLOCK, target, (float)(1.0 / divisor), to + col * BLOCK);
        }
    }
    BARRIER
    if (thread > 0) return;
    double sum = 0.0;
    int first = 0, five = 0;
    for (int unit = 0; unit < UNITS; unit++) sum += s->loss[unit];
    for (int image = 0; ranked && image < @IMAGES@; image++) {
        if (labels[image] < 0) continue;
        first += s->rank[image] < 1;
        five += s->rank[image] < 5;
    }
    losses[0] = counted > 0 ? (float)(sum / divisor) : 0.0f;
    losses[1] = (float)first;
    losses[2] = (float)five;
    losses[3] = 0.0f;
}
