/* Softmax cross-entropy with label smoothing, its gradient, and the top-1 and top-5 hits.
 *
 * Layout. x and dx are [image][block][16], one pixel an image: logits and their gradient. Padded lanes of dx become 0.
 *
 * Formula. With p = softmax(x), C classes and smoothing e, an image of label l loses
 *     -(1 - e) ln p_l - e/C sum_c ln p_c,      its gradient being (p_c - (1 - e) [c = l] - e/C) / n.
 * losses[0] is the mean over the n images whose label is not negative (0 if there is none); the others have no gradient.
 * losses[1] and losses[2] count the images whose label is the largest logit and among the five largest; of equal logits
 * the first is taken as the larger, and a logit that is not a number as larger than all.
 *
 * Threads. An image is one thread's; what it loses is stored and summed by the first thread in the order of images. Sums
 * and exponentials are in double precision.
 *
 * Preconditions. Labels are below CLASSES, which _check tells; scratch is aligned to 8 bytes. All threads run at the same
 * time, since they meet at a barrier. The text of training_math.c comes before it.
 *
 * Holes. IMAGES, CLASSES. X_IMAGE, X_BLOCK, DX_IMAGE, DX_BLOCK: strides. SCRATCH: floats of scratch.
 */

/* @NAME@: @IMAGES@ images of @CLASSES@ classes. */

struct @NAME@_scratch {
    double loss[@IMAGES@];
    int32_t rank[@IMAGES@]; /* how many logits are ahead of the label's */
};
_Static_assert(sizeof(struct @NAME@_scratch) <= (size_t)@SCRATCH@ * sizeof(float), "the scratch is too small");

/* Whether all labels are classes, or negative. */
INLINE int @NAME@_check(const int32_t *labels)
{
    int valid = 1;
    for (int image = 0; image < @IMAGES@; image++) valid &= labels[image] < @CLASSES@;
    return valid;
}

/* The loss of one image; writes its gradient times `scale`. */
static double @NAME@_image(const float *x, const int label, float *dx, const double smoothing, const double scale)
{
    const double on = 1.0 - smoothing, everywhere = smoothing / @CLASSES@;
    const float own = x[label / BLOCK * (ptrdiff_t)@X_BLOCK@ + label % BLOCK];
    float top = x[0];
    for (int c = 0; c < @CLASSES@; c++) {
        const float a = x[c / BLOCK * (ptrdiff_t)@X_BLOCK@ + c % BLOCK];
        top = a > top ? a : top;
    }
    double sum = 0.0, logits = 0.0;
    for (int c = 0; c < @CLASSES@; c++) {
        const double a = (double)x[c / BLOCK * (ptrdiff_t)@X_BLOCK@ + c % BLOCK] - top;
        sum += exp_real(a);
        logits += a;
    }
    for (int c = 0; c < @CLASSES@; c++) {
        const double a = (double)x[c / BLOCK * (ptrdiff_t)@X_BLOCK@ + c % BLOCK] - top;
        const double wanted = everywhere + (c == label ? on : 0.0);
        dx[c / BLOCK * (ptrdiff_t)@DX_BLOCK@ + c % BLOCK] = (float)((exp_real(a) / sum - wanted) * scale);
    }
    /* ln p_c = x_c - top - ln sum */
    return log_real(sum) - on * ((double)own - top) - everywhere * logits;
}

OUTLINE void @NAME@(const float *x, const int32_t *labels, const double smoothing, float *dx, float *losses, void *scratch,
                    int thread, int threads)
{
    struct @NAME@_scratch *s = scratch;
    enum { PADDED = (@CLASSES@ + BLOCK - 1) / BLOCK * BLOCK };
    int counted = 0;
    for (int image = 0; image < @IMAGES@; image++) counted += labels[image] >= 0;
    const int end = (int)((int64_t)@IMAGES@ * (thread + 1) / threads);
    for (int image = (int)((int64_t)@IMAGES@ * thread / threads); image < end; image++) {
        float *to = dx + image * (ptrdiff_t)@DX_IMAGE@;
        for (int block = 0; block < PADDED / BLOCK; block++)
            memset(to + block * (ptrdiff_t)@DX_BLOCK@, 0, BLOCK * sizeof(float));
        if (labels[image] < 0) continue;
        const float *from = x + image * (ptrdiff_t)@X_IMAGE@;
        s->loss[image] = @NAME@_image(from, labels[image], to, smoothing, 1.0 / counted);
        s->rank[image] = label_rank(from, @X_BLOCK@, @CLASSES@, labels[image]);
    }
    BARRIER
    if (thread > 0) return;
    double sum = 0.0;
    int first = 0, five = 0;
    for (int image = 0; image < @IMAGES@; image++) {
        if (labels[image] < 0) continue;
        sum += s->loss[image];
        first += s->rank[image] < 1;
        five += s->rank[image] < 5;
    }
    losses[0] = counted > 0 ? (float)(sum / counted) : 0.0f;
    losses[1] = (float)first;
    losses[2] = (float)five;
    losses[3] = 0.0f;
}
