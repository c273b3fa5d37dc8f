/* How many of the numbers of a vector in blocks are ahead of the label's: of equal ones the first is taken as the larger,
 * and one that is not a number as larger than all. */
INLINE int label_rank(const float *x, const ptrdiff_t block, const int classes, const int label)
{
    const float own = x[label / BLOCK * block + label % BLOCK];
    int ahead = 0;
    for (int c = 0; c < classes; c++) {
        const float a = x[c / BLOCK * block + c % BLOCK];
        if (c != label) ahead += c < label ? !(a < own) : !(a <= own);
    }
    return ahead;
}

/* Binary cross-entropy of logits x against targets t in [0, 1], and its derivative by x, which replace x and t:
 * loss = w t ln(1 + e^-x) + (1 - t) ln(1 + e^x). With gamma > 0 it is the focal loss, that times
 * (t / 4 + (1 - t) 3 / 4) (1 - p_t)^gamma, where 1 - p_t = t (1 - p) + (1 - t) p and p = sigmoid(x).
 * Every term is a sum of positive ones: nothing cancels. */
INLINE void binary_cross_entropy(vec *x, vec *t, const float weight, const float gamma)
{
    const vec positive = *t * weight, negative = 1.0f - *t;
    vec e = SELECT(*x > 0.0f, -*x, *x);
    exp_lanes(&e);
    const vec high = 1.0f / (1.0f + e), low = e * high;
    log1p_lanes(&e);
    const vec p = SELECT(*x > 0.0f, high, low), q = SELECT(*x > 0.0f, low, high);
    const vec up = SELECT(*x > 0.0f, *x, SPLAT(0.0f)) + e, down = SELECT(*x < 0.0f, -*x, SPLAT(0.0f)) + e;
    vec loss = negative * up + positive * down;
    vec slope = negative * p - positive * q;
    if (gamma > 0.0f) {
        const vec wrong = *t * q + negative * p;
        const vec base = SELECT(wrong < 1e-30f, SPLAT(1e-30f), wrong);
        vec focus = base;
        log_lanes(&focus);
        focus *= gamma;
        exp_lanes(&focus);
        focus *= 0.25f * *t + 0.75f * negative;
        slope = focus * (slope + gamma * loss * (negative - *t) * p * q / base);
        loss *= focus;
    }
    *x = loss;
    *t = slope;
}
