/* The optimiser: one sweep over all parameters. The rules are in optimizer_rules.c, their formulas in training.h.
 *
 * Layout. Every array (values, gradients, momentum, second moments, average) is one block of COUNT floats in which the
 * same entry has the same offset. RANGES lists the entries, none empty, by rising offset as {offset, count, group}:
 * parameters by their group; what is no parameter but belongs to the average, such as running statistics, has group -1. What lies
 * between the entries is neither read nor written.
 *
 * Threads. The arrays are cut into units of UNIT floats, whatever the number of threads, and a thread takes adjacent
 * units. An update depends on its own number only; for the norm, each unit's sum of squares is stored and all threads add
 * them up in the order of units. The barriers are met by all threads or by none.
 *
 * Preconditions. update->groups has an entry for each group. momentum is there for every rule, second for Adam only,
 * else NULL; both start as zeros. average may be NULL. scratch is aligned to 8 bytes and shared by the threads; without
 * clipping it is not used. The arrays do not overlap. The texts of training.h, training_math.c and optimizer_rules.c
 * come before it.
 *
 * Holes. COUNT. RANGES and RANGE_COUNT, their number. SCRATCH: floats of scratch.
 */

/* @NAME@: @RANGE_COUNT@ entries in @COUNT@ floats. */

enum { @NAME@_UNIT = 4096, @NAME@_UNITS = (@COUNT@ + @NAME@_UNIT - 1) / @NAME@_UNIT };
_Static_assert(@NAME@_UNITS * sizeof(double) <= (size_t)@SCRATCH@ * sizeof(float), "the scratch is too small");

static const struct {
    int64_t offset, count;
    int group;
} @NAME@_ranges[@RANGE_COUNT@] = {@RANGES@};

/* The next stretch of `unit` that lies in one entry: *at its offset, *range the entry's index. Returns its length, 0 at
 * the end of the unit. To begin, *at is 0 and *range no later than the unit's first entry. */
INLINE int @NAME@_next(const int unit, int *range, int64_t *at, int64_t *end)
{
    const int64_t start = (int64_t)unit * @NAME@_UNIT, stop = start + @NAME@_UNIT;
    const int64_t from = *end > start ? *end : start;
    for (; *range < @RANGE_COUNT@; ++*range) {
        const int64_t first = @NAME@_ranges[*range].offset, last = first + @NAME@_ranges[*range].count;
        if (last <= from) continue;
        if (first >= stop) break;
        *at = first > from ? first : from;
        *end = last < stop ? last : stop;
        return (int)(*end - *at);
    }
    return 0;
}

/* The norm of all gradients together. */
static double @NAME@_norm(const float *restrict gradients, double *restrict squares, int thread, int threads)
{
    const int last = (int)((int64_t)@NAME@_UNITS * (thread + 1) / threads);
    int range = 0;
    for (int unit = (int)((int64_t)@NAME@_UNITS * thread / threads); unit < last; unit++) {
        double sum = 0.0;
        int64_t at = 0, end = 0;
        for (int n; (n = @NAME@_next(unit, &range, &at, &end)) > 0;) {
            if (@NAME@_ranges[range].group < 0) continue;
            double lanes[8] = {0}; /* eight chains of additions, so that none waits for the last */
            for (int i = 0; i + 8 <= n; i += 8)
                for (int lane = 0; lane < 8; lane++) {
                    const double g = gradients[at + i + lane];
                    lanes[lane] += g * g;
                }
            for (int i = n / 8 * 8; i < n; i++) lanes[i % 8] += (double)gradients[at + i] * gradients[at + i];
            for (int lane = 0; lane < 8; lane++) sum += lanes[lane];
        }
        squares[unit] = sum;
    }
    BARRIER
    double sum = 0.0;
    for (int unit = 0; unit < @NAME@_UNITS; unit++) sum += squares[unit];
    return root_real(sum);
}

/* Adds the gradients of one more batch to `sum`, or begins with them. */
INLINE void @NAME@_accumulate(const float *restrict gradients, float *restrict sum, const int begin, int thread, int threads)
{
    const int last = (int)((int64_t)@NAME@_UNITS * (thread + 1) / threads);
    int range = 0;
    for (int unit = (int)((int64_t)@NAME@_UNITS * thread / threads); unit < last; unit++) {
        int64_t at = 0, end = 0;
        for (int n; (n = @NAME@_next(unit, &range, &at, &end)) > 0;) {
            if (@NAME@_ranges[range].group < 0) continue;
            for (int i = 0; i < n; i++) sum[at + i] = begin ? gradients[at + i] : sum[at + i] + gradients[at + i];
        }
    }
}

/* One step. Returns the norm of the scaled gradients before clipping to every thread; 0 if update->max_norm is 0. */
static double @NAME@(const spd_update *update, float *restrict values, const float *restrict gradients,
                     float *restrict momentum, float *restrict second, float *restrict average, void *restrict scratch,
                     int thread, int threads)
{
    double norm = 0.0, scale = update->gradient_scale;
    if (update->max_norm > 0.0) {
        norm = scale * @NAME@_norm(gradients, scratch, thread, threads);
        norm = norm < 0.0 ? -norm : norm;
        const double factor = update->max_norm / (norm + 1e-6);
        scale = factor < 1.0 ? scale * factor : scale;
    }
    const int last = (int)((int64_t)@NAME@_UNITS * (thread + 1) / threads);
    int range = 0;
    for (int unit = (int)((int64_t)@NAME@_UNITS * thread / threads); unit < last; unit++) {
        int64_t at = 0, end = 0;
        for (int n; (n = @NAME@_next(unit, &range, &at, &end)) > 0;) {
            @NAME@_numbers(update, @NAME@_ranges[range].group, scale, n, values + at, gradients + at, momentum + at,
                           second == NULL ? NULL : second + at, average == NULL ? NULL : average + at);
        }
    }
    return norm;
}
