/* Wraps a module of `spdc compile --train` in functions whose names and arguments do not depend on the network.
 *
 * Compiled with -DPREFIX=<prefix> -DUPPER=<PREFIX> and linked with the module. All arrays belong to the caller.
 */
#include <stddef.h>
#include <stdint.h>

#define GLUE_(a, b) a##b
#define GLUE(a, b) GLUE_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
#define CALL(name) GLUE(PREFIX, name)
#define VALUE(name) GLUE(UPPER, name)

#include TEXT(PREFIX.h)

/* Number of floats in each array of the state. */
size_t bench_state_count(void) { return VALUE(_STATE_COUNT); }

size_t bench_arena_bytes(int threads) { return VALUE(_ARENA_BYTES)(threads); }

/* Name, offset in the state and group of one parameter; 0 after the last. */
int bench_parameter(size_t index, const char **name, uint64_t *offset, uint64_t *count, int32_t *group)
{
    if (index >= sizeof CALL(_parameters) / sizeof CALL(_parameters)[0]) return 0;
    *name = CALL(_parameters)[index].name;
    *offset = CALL(_parameters)[index].offset;
    *count = CALL(_parameters)[index].count;
    *group = CALL(_parameters)[index].group;
    return 1;
}

const char *bench_status(int status) { return CALL(_status)(status); }

/* Forward pass, backward pass and SGD on every parameter as soon as its gradient is ready. state: values, momentum. */
int bench_step(float *const state[2], void *arena, int threads, const float *images, const int32_t *labels,
               const float *targets, int32_t target_count, double learning_rate, double momentum, double weight_decay,
               float losses[4])
{
    GLUE(PREFIX, _trainer) trainer = {
        .values = state[0], .momentum = state[1],
        .arena = arena, .arena_bytes = bench_arena_bytes(threads), .balances = {4, 1, 0.4f}, .threads = threads};
    const spd_yolo_rates rates = {
        .box = 0.05, .objectness = 1, .classes = 0.5, .anchor_limit = 4, .objectness_weight = 1, .class_weight = 1};
    const GLUE(PREFIX, _batch) batch = {
        .images = images, .labels = labels, .targets = targets, .target_count = target_count, .rates = &rates};
    const spd_group_rates group = {learning_rate, weight_decay, momentum};
    const spd_group_rates groups[3] = {group, group, group};
    const spd_update update = {
        .groups = groups, .rule = SPD_SGD, .step = 1, .second_momentum = 0.999, .epsilon = 1e-8, .gradient_scale = 1};
    return CALL(_step)(&trainer, &batch, &update, losses);
}
