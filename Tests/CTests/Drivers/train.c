/* Two training steps, with 1, 2 and 3 threads, each in a stale arena with stale gradients: they must leave the same bytes.
 *
 * usage: train STATE INPUT TARGETS OUTPUT 0|1      STATE: all values; TARGETS: rows of boxes; 1: compiled with OpenMP
 * Output: losses and, if there are any, gradients of the first step, and the values behind the second.
 */
#define TRAINING
#include "model.h"

enum { PARAMETERS = sizeof F(_parameters) / sizeof F(_parameters)[0], IN_BACKWARD = N(_UPDATES_IN_BACKWARD) };

/* An array of the state that begins as `from`, or as zeros. */
static buffer state_array(const buffer *from)
{
    const buffer result = allocate(N(_STATE_COUNT) * sizeof(float));
    if (from == NULL)
        memset(result.start, 0, result.bytes);
    else
        memcpy(result.start, from->start, result.bytes);
    return result;
}

static float *floats(buffer b) { return (float *)(void *)b.start; }

/* What a run leaves, and that it writes nothing else. */
static buffer trained(const buffer *state, const F(_batch) * batch, int threads)
{
    const spd_group_rates groups[3] = {{0.01, 5e-4, 0.9}, {0.02, 0.0, 0.9}, {0.01, 0.0, 0.8}};
    const spd_update update = {groups, SPD_SGD, 1, 1, 0.999, 1e-8, 1.0, IN_BACKWARD ? 0.0 : 10.0, 0.9};
    const buffer values = state_array(state), average = state_array(state), momentum = state_array(NULL);
    const buffer gradients = allocate(values.bytes), arena = allocate(N(_ARENA_BYTES)(threads));
    F(_trainer) trainer = {floats(values), floats(gradients), floats(momentum),         NULL,   floats(average), NULL,
                           arena.start,    arena.bytes,       {4.0f, 1.0f, 0.4f, 0.0f}, threads};
    const buffer result = allocate((4 + 2 * N(_STATE_COUNT)) * sizeof(float));
    memset(result.start, 0, result.bytes);
    CHECK(F(_gradients)(&trainer, batch, floats(result)) == (IN_BACKWARD ? N(_UPDATED_IN_BACKWARD) : N(_OK)));
    for (int i = 0; i < PARAMETERS && !IN_BACKWARD; i++) {
        const F(_parameter) p = F(_parameters)[i];
        if (p.group >= 0) memcpy(floats(result) + 4 + p.offset, trainer.gradients + p.offset, p.count * sizeof(float));
    }
    double norm = 0.0;
    if (IN_BACKWARD)
        CHECK(F(_step)(&trainer, batch, &update, floats(result)) == N(_OK));
    else
        CHECK(F(_update)(&trainer, &update, &norm) == N(_OK) && norm > 0.0);
    stale(arena);
    float losses[4];
    CHECK(F(_step)(&trainer, batch, &update, losses) == N(_OK));
    memcpy(floats(result) + 4 + N(_STATE_COUNT), values.start, values.bytes);
    release(values);
    release(average);
    release(momentum);
    release(gradients);
    release(arena);
    return result;
}

int main(int argc, char **argv)
{
    CHECK(argc == 6);
    const buffer state = read_file(argv[1]), input = read_input(argv[2]), targets = read_file(argv[3]);
    CHECK(state.bytes == N(_STATE_COUNT) * sizeof(float) && targets.bytes % (6 * sizeof(float)) == 0);
    int32_t labels[N(_BATCH)];
    for (int i = 0; i < N(_BATCH); i++) labels[i] = i * 7 % N(_CLASSES);
    const spd_yolo_rates rates = {0.05, 1.0, 0.5, 4.0, 0.0, 0.0, 1.0, 1.0, 0};
    const F(_batch) batch = {floats(input), labels, floats(targets), (int32_t)(targets.bytes / (6 * sizeof(float))), 0.0, &rates};
    const buffer first = trained(&state, &batch, 1);
    for (int threads = 2; threads <= 3; threads++) {
        CHECK(F(_threads)(threads) == (atoi(argv[5]) ? threads : 1));
        const buffer other = trained(&state, &batch, threads);
        CHECK(memcmp(first.start, other.start, first.bytes) == 0);
        release(other);
    }
    write_file(argv[4], first);
    release(first);
    release(state);
    release(input);
    release(targets);
    return 0;
}
