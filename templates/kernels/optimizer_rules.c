/* The rules of the optimiser for a run of numbers; their formulas are in training.h.
 *
 * Values p or e, gradients g, momentum or first moments m or v, second moments; all runs have n numbers and do not overlap.
 */

/* b^n */
INLINE double @NAME@_power(double b, int64_t n)
{
    double product = 1.0;
    for (; n > 0; n >>= 1, b *= b)
        if (n & 1) product *= b;
    return product;
}

OUTLINE void @NAME@_sgd(const int n, float *restrict p, const float *restrict g, float *restrict v, const float scale,
                        const float rate, const float decay, const float momentum, const int nesterov)
{
    const float now = nesterov ? 1.0f : 0.0f, past = nesterov ? momentum : 1.0f;
    for (int i = 0; i < n; i++) {
        const float d = scale * g[i] + decay * p[i];
        v[i] = momentum * v[i] + d;
        p[i] -= rate * (now * d + past * v[i]);
    }
}

/* keep = 1 - rate decay for AdamW, else 1, with the decay in d; root = 1 / sqrt(1 - b2^step). */
OUTLINE void @NAME@_adam(const int n, float *restrict p, const float *restrict g, float *restrict m, float *restrict v,
                         const float scale, const float rate, const float decay, const float keep, const float rest1,
                         const float b2, const float rest2, const float root, const float epsilon)
{
    for (int i = 0; i < n; i++) {
        const float d = scale * g[i] + decay * p[i];
        m[i] += rest1 * (d - m[i]);
        v[i] = b2 * v[i] + rest2 * d * d;
        p[i] = keep * p[i] - rate * m[i] / (root_float(v[i]) * root + epsilon);
    }
}

OUTLINE void @NAME@_average(const int n, float *restrict e, const float *restrict p, const float decay, const float rest)
{
    for (int i = 0; i < n; i++) e[i] = decay * e[i] + rest * p[i];
}

/* One update of n numbers of a group; group -1: no parameters, which only the average takes in. The gradients are
 * multiplied by `scale`. second: Adam only; average: may be NULL. */
INLINE void @NAME@_numbers(const spd_update *update, const int group, const double scale, const int n, float *restrict values,
                           const float *restrict gradients, float *restrict momentum, float *restrict second,
                           float *restrict average)
{
    if (group >= 0) {
        const spd_group_rates r = update->groups[group];
        if (update->rule == SPD_SGD) {
            @NAME@_sgd(n, values, gradients, momentum, (float)scale, (float)r.learning_rate, (float)r.weight_decay,
                       (float)r.momentum, update->nesterov);
        } else {
            const int apart = update->rule == SPD_ADAMW; /* decay apart from the gradient */
            const double b2 = update->second_momentum;
            const double rate = r.learning_rate / (1.0 - @NAME@_power(r.momentum, update->step));
            @NAME@_adam(n, values, gradients, momentum, second, (float)scale, (float)rate,
                        apart ? 0.0f : (float)r.weight_decay, apart ? (float)(1.0 - r.learning_rate * r.weight_decay) : 1.0f,
                        (float)(1.0 - r.momentum), (float)b2, (float)(1.0 - b2),
                        (float)(1.0 / root_real(1.0 - @NAME@_power(b2, update->step))), (float)update->epsilon);
        }
    }
    if (average != NULL) @NAME@_average(n, average, values, (float)update->ema_decay, (float)(1.0 - update->ema_decay));
}
