/* Shared part of every generated file: one vector type, a few loops' worth of pragmas, and the activations.
 *
 * Holes: @VL@  floats per vector: 16 (AVX-512), 8 (AVX2), 4 (SSE2, NEON), 1 (plain C).
 *
 * Activations are stored in blocks of 16 channels; a block is BLOCK / VL vectors on every target. The vectors are
 * those of the compiler (gcc and clang), so the text is correct for any -m flag: VL only decides how fast it is.
 * Vectors travel by address and only through inlined functions: without -mavx512f neither compiler agrees with the
 * other on how to pass 64 bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Rounding, NaN and infinity mean what IEEE 754 says, whatever -ffast-math, -Ofast and their parts allow: sums that are regrouped
 * would lose the constants that round in e^x, and "all numbers are finite" the checks for those that are not. */
#if defined(__clang__)
#pragma clang fp reassociate(off)
#if __FINITE_MATH_ONLY__
#pragma float_control(precise, on)
#pragma clang fp contract(fast)
#endif
#elif defined(__GNUC__)
#if defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || __FINITE_MATH_ONLY__
#pragma GCC optimize("no-fast-math", "no-associative-math", "no-reciprocal-math", "no-finite-math-only")
#endif
#elif defined(__FAST_MATH__)
#error "compile without -ffast-math: the kernels rely on the rounding of IEEE 754"
#endif

#define VL @VL@
#define BLOCK 16
#define VECTORS (BLOCK / VL) /* vectors in a block of channels */

#if VL > 1
typedef float vec __attribute__((vector_size(4 * VL), may_alias));
typedef int32_t ivec __attribute__((vector_size(4 * VL), may_alias));
typedef uint32_t uvec __attribute__((vector_size(4 * VL), may_alias));
#define SELECT(mask, a, b) ((vec)(((ivec)(a) & (mask)) | ((ivec)(b) & ~(mask))))
#define SPLAT(s) ((vec){0} + (s))
#else
typedef float vec;
#define SELECT(mask, a, b) ((mask) ? (a) : (b))
#define SPLAT(s) (s)
#endif

/* The vector that lies at p. Everything that is read as vectors is aligned to 64 bytes. */
#define AT(p) (*(const vec *)(const void *)(p))
#define PUT(p, v) (*(vec *)(void *)(p) = (v))

#if defined(__GNUC__) || defined(__clang__)
#define INLINE static inline __attribute__((always_inline, unused))
#define OUTLINE static __attribute__((noinline))
/* Through an integer: the address may lie beyond the array, which a pointer must not. Level 0: L1, 1: L2. */
#define PREFETCH(p, floats, level) \
    __builtin_prefetch((const void *)((uintptr_t)(p) + (uintptr_t)(floats) * sizeof(float)), 0, (level) ? 2 : 3)
#define PREFETCH_STORE(p) __builtin_prefetch((p), 1, 3) /* p will be written: fetch it now, not when the store waits */
/* Before other threads read what was streamed. */
#define STREAM_FENCE() __sync_synchronize()
#else
#define STREAM_FENCE() ((void)0)
#define INLINE static inline
#define OUTLINE static
#define PREFETCH(p, floats, level) ((void)0)
#define PREFETCH_STORE(p) ((void)0)
#endif

/* Stores past the caches what is too large to be found there again. */
#if defined(__clang__)
#define STREAM(p, v) __builtin_nontemporal_store((v), (vec *)(void *)(p))
#else
#define STREAM(p, v) PUT(p, v)
#endif

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#define UNROLL_BY_2 _Pragma("clang loop unroll_count(2)")
#define ROLLED _Pragma("clang loop unroll(disable) vectorize(disable)")
#elif defined(__GNUC__)
#define UNROLL _Pragma("GCC unroll 64")
#define UNROLL_BY_2 _Pragma("GCC unroll 2")
#define ROLLED _Pragma("GCC unroll 1")
#else
#define UNROLL
#define UNROLL_BY_2
#define ROLLED
#endif

/* ---- threads ------------------------------------------------------------------------------------------------- */

#ifdef _OPENMP
/* From the OpenMP runtime; declared here so that no omp.h is needed. */
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
#define PRAGMA(text) _Pragma(#text)
#define PARALLEL(count) PRAGMA(omp parallel num_threads(count))
#define PARALLEL_DEFAULT PRAGMA(omp parallel)
#define BARRIER PRAGMA(omp barrier)
#define ATOMIC_WRITE PRAGMA(omp atomic write)
#define THREAD omp_get_thread_num()
#define THREADS omp_get_num_threads()
#else
#define PARALLEL(count)
#define PARALLEL_DEFAULT
#define BARRIER
#define ATOMIC_WRITE
#define THREAD 0
#define THREADS 1
#endif

/* ---- the register tile ------------------------------------------------------------------------------------- */

/* acc[pixel][vector] += x[pixel][lane] * w[lane][vector], for `lanes` input channels in order.
 *
 * The heart of every convolution. All arguments but acc, x and w are literals, so the inner loops vanish: what is left
 * per lane is one load for each weight vector, one broadcast for each pixel and their products, with acc in registers.
 * Two lanes go together, and no more: a longer body leaves the cache of decoded instructions. With few accumulators it is four.
 * Pixel (i, j) of the tile is at x + (i / repeat) * row + (j / repeat) * pixel. Returns the end of the weights read.
 */
INLINE const float *multiply(vec *acc, const int rows, const int cols, const int vectors, const float *x,
                             const ptrdiff_t row, const ptrdiff_t pixel, const int repeat, const int lanes,
                             const float *w, const int ahead)
{
    const int together = rows * cols * vectors <= 8 && lanes % 4 == 0 ? 4 : lanes % 2 == 0 ? 2 : 1;
    ROLLED
    for (int first = 0; first < lanes; first += together) {
        UNROLL
        for (int lane = first; lane < first + together; lane++) {
            if (ahead > 0) {
                UNROLL
                for (int n = 0; n < vectors; n += VECTORS) PREFETCH(w, ahead + n * VL, 0);
            }
            UNROLL
            for (int i = 0; i < rows; i++) {
                UNROLL
                for (int j = 0; j < cols; j++) {
                    const float s = x[(i / repeat) * row + (j / repeat) * pixel + lane];
                    UNROLL
                    for (int n = 0; n < vectors; n++) acc[(i * cols + j) * vectors + n] += s * AT(w + n * VL);
                }
            }
            w += vectors * VL;
        }
    }
    return w;
}

/* ---- activations: each works in place on one vector; NaN stays NaN ------------------------------------------- */

INLINE void clamp(vec *v, float low, float high)
{
    const vec a = SELECT(*v < low, SPLAT(low), *v);
    *v = SELECT(a > high, SPLAT(high), a);
}

INLINE void relu(vec *v) { *v = SELECT(*v < 0.0f, SPLAT(0.0f), *v); }

INLINE void leaky_relu(vec *v, float slope) { *v = SELECT(*v < 0.0f, *v * slope, *v); }

/* v = 1 + e^-v for |v| <= 87. With n = round(-v log2 e) and f = v log2 e + n, e^-v = 2^n 2^-f: adding 1.5 * 2^23 + 127
 * leaves n + 127 in the low bits, which shifted to the exponent's place are 2^n; 2^-f is a polynomial on [-1/2, 1/2].
 * n may be off by a little, so its log2 e is a rough one: were the two products equal, compilers would share one
 * multiplication and lose both fused multiply-adds. */
INLINE void one_plus_exp_minus(vec *v)
{
    const float magic = 12582912.0f + 127.0f, log2e = 1.44269504088896341f;
    const vec u = *v * -1.4427f + magic;
    const vec f = *v * log2e + (u - magic);
    vec p = SPLAT(-1.3264727e-3f);
    p = p * f + 9.6715130e-3f;
    p = p * f - 5.5507336e-2f;
    p = p * f + 2.4022242e-1f;
    p = p * f - 6.9314700e-1f;
    p = p * f + 1.0f;
#if VL > 1
    *v = p * (vec)((uvec)u << 23) + 1.0f;
#else
    union { float number; uint32_t bits; } scale = {.number = u};
    scale.bits <<= 23;
    *v = p * scale.number + 1.0f;
#endif
}

/* v / (1 + e^-v). Below -87 the result is that of -87, about -1e-36: so it is for minus infinity too. */
INLINE void silu(vec *v)
{
    const vec a = SELECT(*v < -87.0f, SPLAT(-87.0f), *v);
    vec d = SELECT(a > 87.0f, SPLAT(87.0f), a);
    one_plus_exp_minus(&d);
    *v = a / d;
}

INLINE void sigmoid(vec *v)
{
    clamp(v, -87.0f, 87.0f);
    one_plus_exp_minus(v);
    *v = 1.0f / *v;
}

/* v * min(max(v + 3, 0), 6) / 6; minus infinity, whose product with 0 would be NaN, is cut off first. */
INLINE void hard_swish(vec *v)
{
    const vec a = SELECT(*v < -3.0f, SPLAT(-3.0f), *v);
    vec gate = a + 3.0f;
    gate = SELECT(gate > 6.0f, SPLAT(6.0f), gate);
    *v = a * (gate * (1.0f / 6.0f));
}
