/* Rows of VL floats into columns. After the prelude. */

#if VL == 1
INLINE void transpose(vec *rows) { (void)rows; }
#else
#if VL == 16
#define LOW_HALVES 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_HALVES 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif VL == 8
#define LOW_HALVES 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH_HALVES 4, 12, 5, 13, 6, 14, 7, 15
#else
#define LOW_HALVES 0, 4, 1, 5
#define HIGH_HALVES 2, 6, 3, 7
#endif
#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (ivec){__VA_ARGS__})
#endif

/* Transposes VL vectors in place. Laying each vector and the one half the number further on together like the teeth of a zip
 * moves the highest bit of a value's row number to the lowest of its column number; log2 VL times, and all bits have changed
 * places. */
INLINE void transpose(vec *rows)
{
    UNROLL
    for (int step = 1; step < VL; step *= 2) {
        vec next[VL];
        UNROLL
        for (int i = 0; i < VL / 2; i++) {
            next[2 * i] = SHUFFLE(rows[i], rows[i + VL / 2], LOW_HALVES);
            next[2 * i + 1] = SHUFFLE(rows[i], rows[i + VL / 2], HIGH_HALVES);
        }
        UNROLL
        for (int i = 0; i < VL; i++) rows[i] = next[i];
    }
}
#endif
