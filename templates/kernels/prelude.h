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
