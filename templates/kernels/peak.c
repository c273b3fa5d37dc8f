/* Measures the machine's peak rates, the reference of `spdc bench`. */
#include <stddef.h>
#include <stdint.h>

#define VL @VL@
#if VL > 1
typedef float vec __attribute__((vector_size(4 * VL)));
#else
typedef float vec;
#endif

#ifdef _OPENMP
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
#define PRAGMA(text) _Pragma(#text)
#define PARALLEL(count) PRAGMA(omp parallel num_threads(count))
#define THREAD omp_get_thread_num()
#define THREADS omp_get_num_threads()
#else
#define PARALLEL(count)
#define THREAD 0
#define THREADS 1
#endif

int64_t spdc_peak_multiply(int64_t rounds, int threads, float *sink);
void spdc_peak_read(const float *data, int64_t count, int threads, float *sink);
int64_t spdc_peak_copy(float *to, const float *from, int64_t count, const volatile int32_t *stop);

/* Independent multiply-adds in ten registers, for `rounds` rounds on each thread. Returns the number of operations. */
int64_t spdc_peak_multiply(int64_t rounds, int threads, float *sink)
{
    int granted = 1;
    (void)threads;
    PARALLEL(threads)
    {
        if (THREAD == 0) granted = THREADS;
        vec a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0}, a4 = {0}, a5 = {0}, a6 = {0}, a7 = {0}, a8 = {0}, a9 = {0};
        /* Unknown to the compiler, so that nothing is computed in advance. */
        const volatile float factor = 0.5f, term = 1.0f;
        const vec f = (vec){0} + factor, t = (vec){0} + term;
        for (int64_t i = 0; i < rounds; i++) {
            a0 = a0 * f + t, a1 = a1 * f + t, a2 = a2 * f + t, a3 = a3 * f + t, a4 = a4 * f + t;
            a5 = a5 * f + t, a6 = a6 * f + t, a7 = a7 * f + t, a8 = a8 * f + t, a9 = a9 * f + t;
            /* Keeps the ten apart: equal values must not become one. */
            __asm__ volatile("" : "+x"(a0), "+x"(a1), "+x"(a2), "+x"(a3), "+x"(a4));
            __asm__ volatile("" : "+x"(a5), "+x"(a6), "+x"(a7), "+x"(a8), "+x"(a9));
        }
        const vec sum = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9;
        if (THREAD == 0) *sink = *(const float *)(const void *)&sum;
    }
    return rounds * 10 * 2 * VL * granted;
}

/* Reads all of `data`, each thread its share. */
void spdc_peak_read(const float *data, int64_t count, int threads, float *sink)
{
    (void)threads;
    PARALLEL(threads)
    {
        const int64_t first = count / VL * THREAD / THREADS * VL, end = count / VL * (THREAD + 1) / THREADS * VL;
        vec s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
        for (int64_t i = first; i + 4 * VL <= end; i += 4 * VL) {
            const vec *p = (const vec *)(const void *)(data + i);
            s0 += p[0], s1 += p[1], s2 += p[2], s3 += p[3];
        }
        const vec sum = s0 + s1 + s2 + s3;
        if (THREAD == 0) *sink = *(const float *)(const void *)&sum;
    }
}

/* Copies `count` floats again and again until *stop is not 0. Returns the bytes that were read and written. */
int64_t spdc_peak_copy(float *to, const float *from, int64_t count, const volatile int32_t *stop)
{
    int64_t bytes = 0;
    while (*stop == 0) {
        for (int64_t first = 0; first < count && *stop == 0; first += 1 << 16) {
            const int64_t end = first + (1 << 16) < count ? first + (1 << 16) : count;
            for (int64_t i = first; i + VL <= end; i += VL)
                *(vec *)(void *)(to + i) = *(const vec *)(const void *)(from + i);
            bytes += 2 * (end - first) * (int64_t)sizeof(float);
        }
    }
    return bytes;
}
