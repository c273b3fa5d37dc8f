/* Measures the machine itself at this moment with a number of threads: multiply-adds in registers, and memory bandwidth.
 *
 * usage: control THREADS      prints GFLOP/s and GB/s
 */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

/* As wide as the processor's registers, with some to spare: wider or more vectors would spill to memory. */
#if defined(__AVX512F__)
typedef float vec __attribute__((vector_size(64)));
#elif defined(__AVX__)
typedef float vec __attribute__((vector_size(32)));
#else
typedef float vec __attribute__((vector_size(16)));
#endif

enum { CHAINS = 12, LANES = sizeof(vec) / sizeof(float), ROUNDS = 100000000, FLOATS = 32 << 20 };

/* Independent chains of multiply-adds. */
static double multiply_adds(int threads)
{
    float sink = 0.0f;
    const double begin = omp_get_wtime();
#pragma omp parallel num_threads(threads) reduction(+ : sink)
    {
        vec sums[CHAINS]; /* with different numbers, or a compiler would compute one chain for all */
        for (int chain = 0; chain < CHAINS; chain++)
            for (int lane = 0; lane < LANES; lane++) sums[chain][lane] = (float)(chain * LANES + lane);
        for (int round = 0; round < ROUNDS; round++)
#pragma GCC unroll 12
            for (int chain = 0; chain < CHAINS; chain++) sums[chain] = sums[chain] * 0.999f + 0.001f;
        for (int chain = 0; chain < CHAINS; chain++)
            for (int lane = 0; lane < LANES; lane++) sink += sums[chain][lane];
    }
    const double seconds = omp_get_wtime() - begin;
    return sink > 0.0f ? 2.0 * CHAINS * LANES * ROUNDS * threads / seconds / 1e9 : 0.0;
}

/* Adds one array to another; both are far larger than the caches. */
static double memory(float *to, const float *from, int threads)
{
    const double begin = omp_get_wtime();
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int i = 0; i < FLOATS; i++) to[i] += from[i];
    return 3.0 * FLOATS * sizeof(float) / (omp_get_wtime() - begin) / 1e9;
}

int main(int count, char **arguments)
{
    const int threads = count > 1 ? atoi(arguments[1]) : 1;
    float *to = malloc(FLOATS * sizeof(float)), *from = malloc(FLOATS * sizeof(float));
    if (!to || !from) return 1;
    for (int i = 0; i < FLOATS; i++) to[i] = from[i] = (float)i;
    const double most = multiply_adds(threads);
    printf("%.1f %.2f\n", most, memory(to, from, threads));
    return 0;
}
