/* Updates one parameter as soon as its gradient is ready.
 *
 * The rules are those of optimizer_rules.c. The `count` numbers from `offset` of each array of the state belong to a group,
 * or to none (-1), and then only the average takes them in; `gradient` is where their gradients are. Nothing happens if the loss is
 * not finite: the parameters stay as they were. Threads take adjacent numbers, and an update depends on its own number only.
 */

INLINE void @NAME@(const spd_update *update, const float *losses, float *values, float *momentum, float *second,
                   float *average, const int64_t offset, const int64_t count, const int group, const float *gradient,
                   int thread, int threads)
{
    const int64_t lines = (count + 15) / 16, end = lines * (thread + 1) / threads * 16;
    const int64_t first = lines * thread / threads * 16, last = end < count ? end : count, at = offset + first;
    if (first >= last || !is_finite(losses[0])) return;
    @RULES@_numbers(update, group, update->gradient_scale, (int)(last - first), values + at,
                    gradient == NULL ? NULL : gradient + first, momentum + at, second == NULL ? NULL : second + at,
                    average == NULL ? NULL : average + at);
}
