/* Two contexts of one network on two threads of the program at once, with different inputs and shared weights.
 *
 * usage: contexts WEIGHTS INPUT OTHER-INPUT THREADS
 */
#include "model.h"

#include <pthread.h>

enum { ROUNDS = 4 };

typedef struct {
    buffer packed, input, expected;
    int threads;
} job;

static void infer(const job *job, buffer arena, buffer output)
{
    F(_context) context;
    CHECK(F(_init)(&context, job->packed.start, arena.start, arena.bytes, job->threads) == N(_OK));
    CHECK(F(_infer)(&context, (const float *)(const void *)job->input.start, (float *)(void *)output.start) == N(_OK));
}

static void *work(void *argument)
{
    const job *job = argument;
    const buffer arena = allocate(N(_ARENA_BYTES)(job->threads)), output = allocate(job->expected.bytes);
    for (int round = 0; round < ROUNDS; round++) {
        stale(output);
        infer(job, arena, output);
        CHECK(memcmp(output.start, job->expected.start, output.bytes) == 0);
    }
    release(arena);
    release(output);
    return NULL;
}

int main(int argc, char **argv)
{
    CHECK(argc == 5);
    const buffer packed = packed_weights(argv[1]);
    job jobs[2];
    for (int i = 0; i < 2; i++) {
        jobs[i].packed = packed;
        jobs[i].threads = atoi(argv[4]);
        jobs[i].input = read_input(argv[2 + i]);
        jobs[i].expected = allocate(N(_OUTPUT_COUNT) * sizeof(float));
        const buffer arena = allocate(N(_ARENA_BYTES)(jobs[i].threads));
        infer(&jobs[i], arena, jobs[i].expected);
        release(arena);
    }
    /* Or else a mix-up of the two would go unnoticed. */
    CHECK(memcmp(jobs[0].expected.start, jobs[1].expected.start, jobs[0].expected.bytes) != 0);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) CHECK(pthread_create(&threads[i], NULL, work, &jobs[i]) == 0);
    for (int i = 0; i < 2; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < 2; i++) {
        release(jobs[i].input);
        release(jobs[i].expected);
    }
    release(packed);
    return 0;
}
