/* Provokes every status of the interface, each fault by itself.
 *
 * usage: statuses WEIGHTS INPUT 0|1      1: compiled with OpenMP
 */
#include "model.h"

#define IS(call, status)                                                                                                 \
    do {                                                                                                                 \
        const int got = (call);                                                                                          \
        seen |= 1u << got;                                                                                               \
        if (got != N(status)) {                                                                                          \
            fprintf(stderr, "error: %s:%d: %s gives %d (%s)\n", __FILE__, __LINE__, #call, got, F(_status)(got));        \
            exit(1);                                                                                                     \
        }                                                                                                                \
    } while (0)

static unsigned seen;
static buffer file, packed;

/* What packing says of a file in which `bytes` bytes at `offset` are replaced. */
static int patched(size_t offset, const void *value, size_t bytes)
{
    const buffer copy = allocate(file.bytes);
    memcpy(copy.start, file.start, file.bytes);
    memcpy(copy.start + offset, value, bytes);
    const int status = F(_pack)(copy.start, copy.bytes, packed.start, packed.bytes);
    release(copy);
    return status;
}

static int patched32(size_t offset, uint32_t value) { return patched(offset, &value, sizeof value); }
static int patched64(size_t offset, uint64_t value) { return patched(offset, &value, sizeof value); }

static uint64_t number64(size_t offset)
{
    uint64_t value;
    memcpy(&value, file.start + offset, sizeof value);
    return value;
}

static uint32_t number32(size_t offset)
{
    uint32_t value;
    memcpy(&value, file.start + offset, sizeof value);
    return value;
}

/* What packing says of the first `bytes` bytes; `adapted`: the header agrees to be that short. */
static int shortened(size_t bytes, int adapted)
{
    const buffer copy = allocate(bytes);
    memcpy(copy.start, file.start, bytes);
    const uint64_t length = bytes;
    if (adapted) memcpy(copy.start + 16, &length, sizeof length);
    const int status = F(_pack)(copy.start, copy.bytes, packed.start, packed.bytes);
    release(copy);
    return status;
}

/* What packing says of a file whose first running variance is `value`, with the digest that belongs to it. */
static int with_variance(float value)
{
    const buffer copy = allocate(file.bytes);
    memcpy(copy.start, file.start, file.bytes);
    for (uint32_t i = 0; i < number32(24); i++) {
        const size_t record = 64 + 64 * (size_t)i, end = number32(record + 32) + number32(record + 36);
        if (memcmp(file.start + end - 11, "running_var", 11) != 0) continue;
        const size_t offset = number64(record);
        memcpy(copy.start + offset, &value, sizeof value);
        uint64_t digest = 0xcbf29ce484222325u;
        for (uint64_t k = 0; k < number64(record + 8); k++) {
            uint32_t word;
            memcpy(&word, copy.start + offset + 4 * k, sizeof word);
            digest = (digest ^ word) * 0x100000001b3u;
        }
        memcpy(copy.start + record + 16, &digest, sizeof digest);
        break;
    }
    const int status = F(_pack)(copy.start, copy.bytes, packed.start, packed.bytes);
    release(copy);
    return status;
}

static void parameter_faults(void)
{
    const uint32_t tensors = number32(24);
    const size_t last = 64 * (size_t)tensors; /* record of the last tensor; they begin at 64 */
    IS(shortened(0, 0), _PARAMETERS_TRUNCATED);
    IS(shortened(63, 0), _PARAMETERS_TRUNCATED);
    IS(shortened(64, 0), _PARAMETERS_TRUNCATED);
    IS(shortened(64, 1), _PARAMETERS_TRUNCATED);
    IS(shortened(64 + 64 * (size_t)tensors - 1, 1), _PARAMETERS_TRUNCATED);
    IS(shortened(64 + 64 * (size_t)tensors, 1), _PARAMETERS_TRUNCATED);
    IS(shortened(file.bytes - 1, 0), _PARAMETERS_TRUNCATED);
    IS(shortened(number64(last) + 4 * number64(last + 8) - 1, 1), _PARAMETERS_TRUNCATED);
    for (size_t i = 0; i < 4; i++) IS(patched(i, "?", 1), _PARAMETERS_MAGIC);
    IS(patched32(4, 0), _PARAMETERS_VERSION);
    IS(patched32(4, 2), _PARAMETERS_VERSION);
    IS(patched64(8, number64(8) + 1), _PARAMETERS_GRAPH);
    IS(patched64(16, number64(16) + 1), _PARAMETERS_TRUNCATED);
    IS(patched64(16, UINT64_MAX), _PARAMETERS_TRUNCATED);
    IS(patched32(24, tensors - 1), _PARAMETERS_GRAPH);
    IS(patched32(24, UINT32_MAX), _PARAMETERS_GRAPH);
    for (int i = 0; i < 2; i++) {
        const size_t record = i == 0 ? 64 : last;
        const uint64_t offset = number64(record), count = number64(record + 8);
        IS(patched64(record, offset + 4), _PARAMETERS_TRUNCATED);
        IS(patched64(record, (file.bytes + 63) / 64 * 64), _PARAMETERS_TRUNCATED);
        IS(patched64(record, UINT64_MAX - 63), _PARAMETERS_TRUNCATED);
        IS(patched64(record, (uint64_t)1 << 63), _PARAMETERS_TRUNCATED);
        IS(patched64(record + 8, count + 1), _PARAMETERS_GRAPH);
        IS(patched64(record + 8, UINT64_MAX), _PARAMETERS_GRAPH);
        IS(patched64(record + 16, number64(record + 16) ^ 1), _PARAMETERS_DIGEST);
        IS(patched64(record + 24, number64(record + 24) ^ 1), _PARAMETERS_GRAPH);
        IS(patched32(offset, number32(offset) ^ 1), _PARAMETERS_DIGEST);
        IS(patched32(offset + 4 * (count - 1), number32(offset + 4 * (count - 1)) ^ 0x80000000u), _PARAMETERS_DIGEST);
    }
    IS(with_variance(-1.0f), _PARAMETERS_VARIANCE);
    IS(with_variance(0.0f), _OK);
    IS(patched(0, "SPDW", 4), _OK);
}

static void packing_faults(void)
{
    const buffer larger = allocate(packed.bytes + 64);
    const void *const parameters = file.start;
    IS(F(_pack)(NULL, file.bytes, packed.start, packed.bytes), _NULL_POINTER);
    IS(F(_pack)(parameters, file.bytes, NULL, packed.bytes), _NULL_POINTER);
    IS(F(_pack)(file.start + 32, file.bytes - 32, packed.start, packed.bytes), _MISALIGNED);
    IS(F(_pack)(parameters, file.bytes, larger.start + 4, packed.bytes), _MISALIGNED);
    IS(F(_pack)(parameters, file.bytes, packed.start, packed.bytes - 1), _PACKED_TOO_SMALL);
    IS(F(_pack)(parameters, file.bytes, packed.start, 0), _PACKED_TOO_SMALL);
    IS(F(_pack)(parameters, file.bytes, larger.start, larger.bytes), _OK);
    for (size_t i = packed.bytes; i < larger.bytes; i++) CHECK(larger.start[i] == 0xff);
    release(larger);
}

static void context_faults(const float *input, float *output, int openmp)
{
    const buffer arena = allocate(N(_ARENA_BYTES)(3));
    F(_context) context;
    CHECK(F(_threads)(NULL) == 1);
    stale(packed);
    IS(F(_init)(&context, packed.start, arena.start, arena.bytes, 1), _PACKED_FOREIGN);
    IS(F(_pack)(file.start, file.bytes, packed.start, packed.bytes), _OK);
    const size_t fields[] = {0, 1, 2, 3, 4, 8, 16}; /* magic, version, build, graph */
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        packed.start[fields[i]] ^= 1;
        IS(F(_init)(&context, packed.start, arena.start, arena.bytes, 1), _PACKED_FOREIGN);
        packed.start[fields[i]] ^= 1;
    }
    IS(F(_init)(NULL, packed.start, arena.start, arena.bytes, 1), _NULL_POINTER);
    IS(F(_init)(&context, NULL, arena.start, arena.bytes, 1), _NULL_POINTER);
    IS(F(_init)(&context, packed.start, NULL, arena.bytes, 1), _NULL_POINTER);
    IS(F(_init)(&context, packed.start + 16, arena.start, arena.bytes, 1), _MISALIGNED);
    IS(F(_init)(&context, packed.start, arena.start + 16, arena.bytes - 16, 1), _MISALIGNED);
    IS(F(_init)(&context, packed.start, arena.start, arena.bytes, 0), _BAD_THREADS);
    IS(F(_init)(&context, packed.start, arena.start, arena.bytes, -1), _BAD_THREADS);
    IS(F(_init)(&context, packed.start, arena.start, SIZE_MAX, N(_MAX_THREADS) + 1), _BAD_THREADS);
    IS(F(_init)(&context, packed.start, arena.start, arena.bytes - 1, 3), _ARENA_TOO_SMALL);
    IS(F(_init)(&context, packed.start, arena.start, 0, 1), _ARENA_TOO_SMALL);
    IS(F(_init)(&context, packed.start, arena.start, arena.bytes, 3), _OK);
    CHECK(F(_threads)(&context) == (openmp ? 3 : 1));

    IS(F(_infer)(NULL, input, output), _NULL_POINTER);
    IS(F(_infer)(&context, NULL, output), _NULL_POINTER);
    IS(F(_infer)(&context, input, NULL), _NULL_POINTER);
    const F(_context) empty = {NULL, NULL, 1};
    IS(F(_infer)(&empty, input, output), _NULL_POINTER);
    IS(F(_infer_steps)(&context, input, output, -1, 1), _BAD_STEPS);
    IS(F(_infer_steps)(&context, input, output, 1, 0), _BAD_STEPS);
    IS(F(_infer_steps)(&context, input, output, 0, 1 << 30), _BAD_STEPS);
    IS(F(_infer_steps)(&context, input, output, 0, 0), _OK);
    IS(F(_infer)(&context, input, output), _OK);
    release(arena);
}

int main(int argc, char **argv)
{
    CHECK(argc == 4);
    file = read_file(argv[1]);
    packed = allocate(N(_PACKED_BYTES));
    const buffer input = read_input(argv[2]), output = allocate(N(_OUTPUT_COUNT) * sizeof(float));
    packing_faults();
    parameter_faults();
    context_faults((const float *)(const void *)input.start, (float *)(void *)output.start, atoi(argv[3]));

    /* Every status was met, and each has words of its own. */
    CHECK(seen == (1u << (N(_PARAMETERS_VARIANCE) + 1)) - 1);
    const char *const unknown = F(_status)(N(_PARAMETERS_VARIANCE) + 1);
    CHECK(strcmp(unknown, F(_status)(-1)) == 0);
    for (int a = 0; a <= N(_PARAMETERS_VARIANCE); a++) {
        CHECK(strlen(F(_status)(a)) > 0 && strcmp(F(_status)(a), unknown) != 0);
        for (int b = 0; b < a; b++) CHECK(strcmp(F(_status)(a), F(_status)(b)) != 0);
    }
    release(input);
    release(output);
    release(packed);
    release(file);
    return 0;
}
