/* One network under fixed names: compile with -DMODEL=<prefix> -DMODEL_UPPER=<PREFIX>. */
#ifndef MODEL_H
#define MODEL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GLUE_(a, b) a##b
#define GLUE(a, b) GLUE_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

#include TEXT(MODEL.h)

#define F(name) GLUE(MODEL, name)       /* F(_infer)(...) */
#define N(name) GLUE(MODEL_UPPER, name) /* N(_OK) */

/* Says what is wrong and ends the program. */
#define CHECK(condition)                                                                                                 \
    do {                                                                                                                 \
        if (!(condition)) {                                                                                              \
            fprintf(stderr, "error: %s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                               \
            exit(1);                                                                                                     \
        }                                                                                                                \
    } while (0)

/* A buffer with guard words before and behind it; without them (EXACT) a sanitizer sees its borders. */
#ifdef EXACT
#define GUARD 0
#else
#define GUARD 64
#endif

typedef struct {
    unsigned char *start;
    size_t bytes;
} buffer;

/* All bytes are 0xff: read as float, NaN. */
static inline void *stale(buffer b) { return memset(b.start, 0xff, b.bytes); }

static inline buffer allocate(size_t bytes)
{
    void *whole = NULL;
    CHECK(posix_memalign(&whole, 64, bytes + 2 * GUARD) == 0);
    memset(whole, 0xa5, bytes + 2 * GUARD);
    const buffer result = {(unsigned char *)whole + GUARD, bytes};
    stale(result);
    return result;
}

static inline void check_guards(buffer b)
{
    for (int i = 0; i < GUARD; i++) {
        CHECK((b.start - GUARD)[i] == 0xa5);
        CHECK(b.start[b.bytes + (size_t)i] == 0xa5);
    }
}

static inline void release(buffer b)
{
    check_guards(b);
    free(b.start - GUARD);
}

static inline buffer read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    CHECK(fseek(file, 0, SEEK_END) == 0);
    const long size = ftell(file);
    CHECK(size >= 0 && fseek(file, 0, SEEK_SET) == 0);
    const buffer result = allocate((size_t)size);
    CHECK(fread(result.start, 1, result.bytes, file) == result.bytes);
    CHECK(fclose(file) == 0);
    return result;
}

static inline buffer read_input(const char *path)
{
    const buffer result = read_file(path);
    CHECK(result.bytes == N(_INPUT_COUNT) * sizeof(float));
    return result;
}

static inline void write_file(const char *path, buffer b)
{
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    CHECK(fwrite(b.start, 1, b.bytes, file) == b.bytes);
    CHECK(fclose(file) == 0);
}

#ifndef TRAINING
/* Packs a file; the parameters are gone before anything runs. */
static inline buffer packed_weights(const char *path)
{
    const buffer parameters = read_file(path);
    const buffer packed = allocate(N(_PACKED_BYTES));
    CHECK(F(_pack)(parameters.start, parameters.bytes, packed.start, packed.bytes) == N(_OK));
    stale(parameters);
    release(parameters);
    check_guards(packed);
    return packed;
}
#endif

#endif
