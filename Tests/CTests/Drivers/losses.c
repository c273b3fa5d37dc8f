/* Runs losses and optimisers on the requests of a file, each with 1, 2 and 3 threads, which must not change a byte, on
 * scratch and outputs full of NaN; writes the results.
 *
 * usage: losses REQUESTS RESULTS       both in words of 32 bits; cases.h holds the filled templates and tables of them
 */
#include <stdio.h>
#include <stdlib.h>

#include "cases.h"

#define CHECK(truth)                                                                                                     \
    if (!(truth)) {                                                                                                      \
        fprintf(stderr, "line %d: %s\n", __LINE__, #truth);                                                              \
        exit(1);                                                                                                         \
    }

enum { MAX_LEVELS = 4 };

static const struct {
    void (*run)(const float *const x[], const float *targets, int count, const float *anchors, float *balances,
                const spd_yolo_rates *rates, float *const dx[], float *losses, void *scratch, int thread, int threads);
    int (*check)(const float *targets, int count);
    int levels, anchors;
    size_t scratch, x[MAX_LEVELS], dx[MAX_LEVELS]; /* floats */
} yolo_cases[] = {YOLO_CASES};

static const struct {
    void (*run)(const float *x, const int32_t *labels, double smoothing, float *dx, float *losses, void *scratch, int thread,
                int threads);
    int (*check)(const int32_t *labels);
    size_t images, scratch, x, dx;
} entropy_cases[] = {ENTROPY_CASES};

static const struct {
    void (*run)(const float *x, const float *targets, const int32_t *labels, double smoothing, float *dx, float *losses,
                void *scratch, int thread, int threads);
    int (*check)(const float *targets, int32_t count, const int32_t *labels);
    size_t images, targets, scratch, x, dx;
} composed_cases[] = {COMPOSED_CASES};

static const struct {
    double (*run)(const spd_update *update, float *restrict values, const float *restrict gradients,
                  float *restrict momentum, float *restrict second, float *restrict average, void *restrict scratch,
                  int thread, int threads);
    void (*accumulate)(const float *restrict gradients, float *restrict sum, int begin, int thread, int threads);
    size_t count, scratch;
} optimizer_cases[] = {OPTIMIZER_CASES};

static FILE *requests, *results;

/* An array of words, NaN as numbers, at an address of 64 bytes; whoever needs it, keeps it to the end. */
static void *words(size_t count)
{
    void *const start = aligned_alloc(64, (count * 4 + 63) / 64 * 64 + 64);
    CHECK(start != NULL);
    memset(start, 0xff, count * 4);
    return start;
}

static void *read_words(size_t count)
{
    void *const start = words(count);
    CHECK(fread(start, 4, count, requests) == count);
    return start;
}

static int read_int(void)
{
    int32_t number;
    CHECK(fread(&number, 4, 1, requests) == 1);
    return number;
}

static double read_float(void)
{
    float number;
    CHECK(fread(&number, 4, 1, requests) == 1);
    return number;
}

static void write_words(const void *start, size_t count) { CHECK(fwrite(start, 4, count, results) == count); }

/* Remembers the results of one thread and compares those of more with them. */
static void keep(float **kept, const float *found, size_t count, int threads)
{
    if (threads == 1) {
        *kept = words(count);
        memcpy(*kept, found, count * 4);
        write_words(found, count);
    }
    CHECK(memcmp(*kept, found, count * 4) == 0);
}

static void yolo(void)
{
    const int number = read_int();
    spd_yolo_rates rates;
    double *const fields[] = {&rates.box, &rates.objectness, &rates.classes, &rates.anchor_limit, &rates.focal_gamma,
                               &rates.label_smoothing, &rates.objectness_weight, &rates.class_weight};
    for (int i = 0; i < 8; i++) *fields[i] = read_float();
    rates.autobalance = read_int();
    const int count = read_int(), levels = yolo_cases[number].levels;
    const float *const targets = read_words((size_t)count * 6);
    const float *const anchors = read_words((size_t)levels * (size_t)yolo_cases[number].anchors * 2);
    const float *const start = read_words((size_t)levels);
    const float *x[MAX_LEVELS] = {0};
    for (int level = 0; level < levels; level++) x[level] = read_words(yolo_cases[number].x[level]);
    const int32_t status = yolo_cases[number].check(targets, count);
    write_words(&status, 1);
    float *kept[MAX_LEVELS + 2];
    for (int threads = 1; threads <= 3 && status == SPD_TARGETS_OK; threads++) {
        float *const losses = words(4), *const balances = words((size_t)levels), *dx[MAX_LEVELS] = {0};
        void *const scratch = words(yolo_cases[number].scratch);
        memcpy(balances, start, (size_t)levels * 4);
        for (int level = 0; level < levels; level++) dx[level] = words(yolo_cases[number].dx[level]);
        PARALLEL(threads)
        yolo_cases[number].run(x, targets, count, anchors, balances, &rates, dx, losses, scratch, THREAD, THREADS);
        keep(&kept[0], losses, 4, threads);
        keep(&kept[1], balances, (size_t)levels, threads);
        for (int level = 0; level < levels; level++)
            keep(&kept[2 + level], dx[level], yolo_cases[number].dx[level], threads);
    }
}

static void entropy(void)
{
    const int number = read_int();
    const double smoothing = read_float();
    const int32_t *const labels = read_words(entropy_cases[number].images);
    const float *const x = read_words(entropy_cases[number].x);
    const int32_t valid = entropy_cases[number].check(labels);
    write_words(&valid, 1);
    float *kept[2];
    for (int threads = 1; threads <= 3 && valid; threads++) {
        float *const losses = words(3), *const dx = words(entropy_cases[number].dx);
        void *const scratch = words(entropy_cases[number].scratch);
        PARALLEL(threads)
        entropy_cases[number].run(x, labels, smoothing, dx, losses, scratch, THREAD, THREADS);
        keep(&kept[0], losses, 3, threads);
        keep(&kept[1], dx, entropy_cases[number].dx, threads);
    }
}

/* With targets, or, if there are none, with labels. */
static void composed(void)
{
    const int number = read_int();
    const double smoothing = read_float();
    const int count = read_int();
    const int32_t *const labels = read_words(composed_cases[number].images);
    const float *const targets = count > 0 ? read_words((size_t)count) : NULL;
    const float *const x = read_words(composed_cases[number].x);
    const int32_t valid = composed_cases[number].check(targets, count, labels);
    write_words(&valid, 1);
    float *kept[2];
    for (int threads = 1; threads <= 3 && valid; threads++) {
        float *const losses = words(3), *const dx = words(composed_cases[number].dx);
        void *const scratch = words(composed_cases[number].scratch);
        PARALLEL(threads)
        composed_cases[number].run(x, targets, labels, smoothing, dx, losses, scratch, THREAD, THREADS);
        keep(&kept[0], losses, 3, threads);
        keep(&kept[1], dx, composed_cases[number].dx, threads);
    }
}

/* Each of the steps gets the sum of two equal gradients. */
static void optimizer(void)
{
    const int number = read_int();
    const size_t count = optimizer_cases[number].count;
    spd_update update = {.rule = read_int()};
    update.nesterov = read_int();
    double *const fields[] = {&update.second_momentum, &update.epsilon, &update.gradient_scale, &update.max_norm,
                               &update.ema_decay};
    for (int i = 0; i < 5; i++) *fields[i] = read_float();
    spd_group_rates groups[8];
    const int group_count = read_int(), steps = read_int();
    CHECK(group_count <= 8);
    for (int i = 0; i < group_count; i++) {
        groups[i].learning_rate = read_float();
        groups[i].weight_decay = read_float();
        groups[i].momentum = read_float();
    }
    update.groups = groups;
    const float *const start = read_words(count), *const gradients = read_words(count * (size_t)steps);
    float *kept[5];
    for (int threads = 1; threads <= 3; threads++) {
        float *const values = words(count), *const average = words(count), *const sum = words(count);
        float *const momentum = words(count), *const norms = words((size_t)steps);
        float *const second = update.rule == SPD_SGD ? NULL : words(count);
        memcpy(values, start, count * 4);
        memcpy(average, start, count * 4);
        memset(momentum, 0, count * 4);
        if (second != NULL) memset(second, 0, count * 4);
        for (int step = 0; step < steps; step++) {
            const float *const once = gradients + (size_t)step * count;
            void *const scratch = words(optimizer_cases[number].scratch);
            update.step = step + 1;
            double norm = 0;
            PARALLEL(threads)
            {
                const int thread = THREAD, granted = THREADS;
                optimizer_cases[number].accumulate(once, sum, 1, thread, granted);
                BARRIER
                optimizer_cases[number].accumulate(once, sum, 0, thread, granted);
                BARRIER
                const double found = optimizer_cases[number].run(&update, values, sum, momentum, second, average, scratch,
                                                                 thread, granted);
                if (thread == 0) norm = found;
            }
            norms[step] = (float)norm;
        }
        keep(&kept[0], values, count, threads);
        keep(&kept[1], average, count, threads);
        keep(&kept[2], momentum, count, threads);
        if (second != NULL) keep(&kept[3], second, count, threads);
        keep(&kept[4], norms, (size_t)steps, threads);
    }
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    requests = fopen(argv[1], "rb");
    results = fopen(argv[2], "wb");
    CHECK(requests != NULL && results != NULL);
#ifdef _OPENMP
    for (int threads = 1; threads <= 3; threads++) {
        int team = 0;
        PARALLEL(threads)
        if (THREAD == 0) team = THREADS;
        CHECK(team == threads); /* else the comparisons would show less than they say */
    }
#endif
    for (int32_t kind; fread(&kind, 4, 1, requests) == 1;) {
        if (kind == 0) {
            entropy();
        } else if (kind == 1) {
            yolo();
        } else if (kind == 3) {
            composed();
        } else {
            optimizer();
        }
    }
    CHECK(fclose(results) == 0);
    return 0;
}
