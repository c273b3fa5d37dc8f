/* Runs a network compiled by spdc to C; needs no library but OpenMP.
 *
 *     demo WEIGHTS.spdw [INPUT.f32 [THREADS]]
 *
 * INPUT.f32: the network's input as raw float32 in the machine's byte order, channel by channel; default or "-":
 * a ramp from 0 to 1. The program works with every network: it is compiled with -DPREFIX=<prefix> -DUPPER=<PREFIX>, the stem
 * of the generated files' names. A program for a single network calls resnet18_spd_infer() instead of CALL(_infer)().
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if !defined(PREFIX) || !defined(UPPER)
#error "compile with -DPREFIX=resnet18_spd -DUPPER=RESNET18_SPD, or the prefix of your generated files"
#endif

#define GLUE_(a, b) a##b
#define GLUE(a, b) GLUE_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
#define CALL(name) GLUE(PREFIX, name)  /* CALL(_infer) is resnet18_spd_infer */
#define VALUE(name) GLUE(UPPER, name)  /* VALUE(_OK) is RESNET18_SPD_OK */

#include TEXT(PREFIX.h)

/* Number of classes or boxes to print. */
enum { TOP = 5 };

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "error: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Every function of a generated network returns a status, which <prefix>_status() describes. */
static void check(int status, const char *what)
{
    if (status != VALUE(_OK)) fail(what, CALL(_status)(status));
}

/* All buffers are aligned to 64 bytes: a cache line and the widest vector. */
static void *allocate(size_t bytes)
{
    void *result = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (result == NULL) fail("memory", strerror(errno));
    return result;
}

/* Maps the parameter file, page-aligned. Without mmap, read the file into memory from allocate(). */
static const void *map(const char *path, size_t *bytes)
{
    const int file = open(path, O_RDONLY);
    struct stat info;
    if (file < 0 || fstat(file, &info) != 0) fail(path, strerror(errno));
    if (info.st_size == 0) fail(path, "the file is empty");
    *bytes = (size_t)info.st_size;
    const void *result = mmap(NULL, *bytes, PROT_READ, MAP_PRIVATE, file, 0);
    if (result == MAP_FAILED) fail(path, strerror(errno));
    close(file);
    return result;
}

static void read_input(const char *path, float *values)
{
    const size_t count = VALUE(_INPUT_COUNT);
    if (path == NULL || strcmp(path, "-") == 0) {
        for (size_t i = 0; i < count; i++) values[i] = (float)i / (float)count;
        return;
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail(path, strerror(errno));
    if (fread(values, sizeof(float), count, file) != count || fgetc(file) != EOF) {
        fprintf(stderr, "error: %s: this network takes %zu floats (%d x %d x %d x %d)\n", path, count, VALUE(_BATCH),
                VALUE(_CHANNELS), VALUE(_HEIGHT), VALUE(_WIDTH));
        exit(EXIT_FAILURE);
    }
    fclose(file);
}

/* Index of the largest value that is not marked yet; marks it. NaN is never the largest. */
static size_t next_best(const float *scores, size_t count, char *marked)
{
    size_t best = count;
    for (size_t i = 0; i < count; i++) {
        if (!marked[i] && (best == count || scores[i] > scores[best])) best = i;
    }
    marked[best] = 1;
    return best;
}

/* Prints a classifier's scores, one row of CLASSES per image. */
static void print_classes(const float *scores)
{
    const size_t classes = VALUE(_CLASSES);
    for (int image = 0; image < VALUE(_BATCH); image++, scores += classes) {
        char *marked = calloc(classes, 1);
        if (marked == NULL) fail("memory", strerror(errno));
        for (size_t k = 0; k < TOP && k < classes; k++) {
            const size_t best = next_best(scores, classes, marked);
            printf("class %zu: %.4f\n", best, (double)scores[best]);
        }
        free(marked);
    }
}

/* Prints a detector's highest-scoring boxes, rows of centre x, centre y, width, height, objectness and class scores.
 * Non-maximum suppression is omitted here. */
static void print_boxes(const float *rows, size_t count)
{
    const size_t classes = VALUE(_CLASSES), width = 5 + classes;
    float *confidence = calloc(count, sizeof *confidence);
    char *marked = calloc(count, 1);
    if (confidence == NULL || marked == NULL) fail("memory", strerror(errno));
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < classes; c++) {
            const float score = rows[i * width + 4] * rows[i * width + 5 + c];
            if (score > confidence[i]) confidence[i] = score;
        }
    }
    for (size_t k = 0; k < TOP && k < count; k++) {
        const size_t best = next_best(confidence, count, marked);
        const float *box = rows + best * width;
        size_t class = 0;
        for (size_t c = 1; c < classes; c++) {
            if (box[5 + c] > box[5 + class]) class = c;
        }
        printf("class %zu: %.4f at (%.1f, %.1f), %.1f x %.1f\n", class, (double)confidence[best], (double)box[0],
               (double)box[1], (double)box[2], (double)box[3]);
    }
    free(confidence);
    free(marked);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: %s WEIGHTS.spdw [INPUT.f32|- [THREADS]]\n", argv[0]);
        return EXIT_FAILURE;
    }
    const int threads = argc > 3 ? atoi(argv[3]) : 1;
    if (threads < 1 || threads > VALUE(_MAX_THREADS)) fail("THREADS", "must be 1 or more, up to the module's maximum");

    /* Once: pack the parameters for the kernels. The file can be unmapped afterwards. */
    size_t parameter_bytes;
    const void *parameters = map(argv[1], &parameter_bytes);
    void *packed = allocate(VALUE(_PACKED_BYTES));
    check(CALL(_pack)(parameters, parameter_bytes, packed, VALUE(_PACKED_BYTES)), argv[1]);
    munmap((void *)(uintptr_t)parameters, parameter_bytes);

    /* Once per concurrent user: an arena for intermediate results. */
    CALL(_context) context;
    const size_t arena_bytes = VALUE(_ARENA_BYTES)(threads);
    void *arena = allocate(arena_bytes);
    check(CALL(_init)(&context, packed, arena, arena_bytes, threads), "init");
    if (CALL(_threads)(&context) < threads)
        fprintf(stderr, "note: only %d of %d threads (built without OpenMP?)\n", CALL(_threads)(&context), threads);

    /* Repeat as needed. */
    float *input = allocate(VALUE(_INPUT_COUNT) * sizeof *input);
    float *output = allocate(VALUE(_OUTPUT_COUNT) * sizeof *output);
    read_input(argc > 2 ? argv[2] : NULL, input);
    check(CALL(_infer)(&context, input, output), "infer");

    const size_t count = VALUE(_OUTPUT_COUNT), classes = VALUE(_CLASSES);
    if (count == classes * VALUE(_BATCH)) {
        print_classes(output);
    } else if (count % (5 + classes) == 0) {
        print_boxes(output, count / (5 + classes));
    } else {
        for (size_t i = 0; i < TOP && i < count; i++) printf("output %zu: %.4f\n", i, (double)output[i]);
    }
    free(output);
    free(input);
    free(arena);
    free(packed);
    return EXIT_SUCCESS;
}
