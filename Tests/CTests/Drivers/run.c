/* Runs a network in every way that must not change a byte: with 1, 2 and 3 threads, twice, step by step, on an arena full
 * of NaN; checks that nothing outside of the buffers and nothing read-only is written; writes the output.
 *
 * usage: run WEIGHTS INPUT OUTPUT 0|1      1: compiled with OpenMP
 */
#include "model.h"

static int step_count(const F(_context) * context, const float *input, float *output)
{
    int steps = 0;
    while (F(_infer_steps)(context, input, output, steps, steps) == N(_OK)) steps++;
    return steps - 1;
}

int main(int argc, char **argv)
{
    CHECK(argc == 5);
    const int openmp = atoi(argv[4]);
    const buffer packed = packed_weights(argv[1]), again = packed_weights(argv[1]);
    CHECK(memcmp(packed.start, again.start, packed.bytes) == 0);
    const buffer input = read_input(argv[2]), same = read_input(argv[2]);
    const buffer expected = allocate(N(_OUTPUT_COUNT) * sizeof(float));
    for (int threads = 1; threads <= 3; threads++) {
        const buffer arena = allocate(N(_ARENA_BYTES)(threads)), output = allocate(expected.bytes);
        F(_context) context;
        CHECK(F(_init)(&context, packed.start, arena.start, arena.bytes, threads) == N(_OK));
        CHECK(F(_threads)(&context) == (openmp ? threads : 1));
        const float *const from = (const float *)(const void *)input.start;
        float *const to = (float *)(void *)output.start;
        for (int round = 0; round < 3; round++) {
            /* The second round meets what the first one left, the third one NaN again. */
            if (round != 1) stale(arena);
            stale(output);
            if (round < 2) {
                CHECK(F(_infer)(&context, from, to) == N(_OK));
            } else {
                const int steps = step_count(&context, from, to);
                CHECK(steps > 0);
                for (int step = 0; step < steps; step++)
                    CHECK(F(_infer_steps)(&context, from, to, step, step + 1) == N(_OK));
            }
            if (threads == 1 && round == 0) memcpy(expected.start, output.start, output.bytes);
            CHECK(memcmp(output.start, expected.start, output.bytes) == 0);
            check_guards(arena);
            check_guards(output);
        }
        release(arena);
        release(output);
    }
    CHECK(memcmp(packed.start, again.start, packed.bytes) == 0);
    CHECK(memcmp(input.start, same.start, input.bytes) == 0);
    write_file(argv[3], expected);
    release(packed);
    release(again);
    release(input);
    release(same);
    release(expected);
    return 0;
}
