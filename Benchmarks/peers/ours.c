/* Loads one network that spdc compiled and runs it once; prints the time and memory that takes as a line of JSON.
 *
 *     ours pack FILE.spdw THREADS      parameters are mapped, checked and packed
 *     ours map FILE.spdp THREADS       packed weights are mapped and used where they are
 *
 * Compiled with -DPREFIX=<prefix> -DUPPER=<PREFIX> and linked with the generated library, as Examples/c is.
 */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define GLUE_(a, b) a##b
#define GLUE(a, b) GLUE_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
#define CALL(name) GLUE(PREFIX, name)
#define VALUE(name) GLUE(UPPER, name)

#include TEXT(PREFIX.h)

static void fail(const char *what)
{
    fprintf(stderr, "ours: %s\n", what);
    exit(EXIT_FAILURE);
}

static void check(int status)
{
    if (status != VALUE(_OK)) fail(CALL(_status)(status));
}

static void *allocate(size_t bytes)
{
    void *result = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (result == NULL) fail("no memory");
    return result;
}

/* Reads a line of /proc/self/status, in bytes. */
static long long memory(const char *key)
{
    char line[256];
    long long kib = -1;
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL) fail("/proc/self/status");
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) kib = atoll(line + strlen(key) + 1);
    }
    fclose(file);
    return kib * 1024;
}

/* Resets VmHWM to the current resident size. */
static void forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file == NULL || fputs("5", file) < 0 || fclose(file) != 0) fail("/proc/self/clear_refs");
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc != 4) fail("usage: ours pack|map FILE THREADS");
    const int pack = strcmp(argv[1], "pack") == 0, threads = atoi(argv[3]);
    /* The image exists before loading starts, as in the peers' processes. */
    float *input = allocate(VALUE(_INPUT_COUNT) * sizeof *input);
    for (size_t i = 0; i < VALUE(_INPUT_COUNT); i++) input[i] = (float)i / (float)VALUE(_INPUT_COUNT);
    forget_peak();
    const long long base = memory("VmRSS");
    const double begin = now();

    struct stat info;
    const int file = open(argv[2], O_RDONLY);
    if (file < 0 || fstat(file, &info) != 0) fail(argv[2]);
    const void *mapped = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (mapped == MAP_FAILED) fail(argv[2]);
    const void *packed = mapped;
    if (pack) {
        void *target = allocate(VALUE(_PACKED_BYTES));
        check(CALL(_pack)(mapped, (size_t)info.st_size, target, VALUE(_PACKED_BYTES)));
        munmap((void *)(uintptr_t)mapped, (size_t)info.st_size);
        packed = target;
    }
    CALL(_context) context;
    const size_t arena_bytes = VALUE(_ARENA_BYTES)(threads);
    check(CALL(_init)(&context, packed, allocate(arena_bytes), arena_bytes, threads));
    float *output = allocate(VALUE(_OUTPUT_COUNT) * sizeof *output);
    check(CALL(_infer)(&context, input, output));

    const double seconds = now() - begin;
    printf("{\"load_s\": %.6f, \"peak_bytes\": %lld, \"resident_bytes\": %lld}\n", seconds, memory("VmHWM") - base,
           memory("VmRSS") - base);
    return EXIT_SUCCESS;
}
