/* What the function <prefix>_module() of a training module returns: a network that trains, for those who do not know its name. */
#ifndef SPDC_TRAINER_H
#define SPDC_TRAINER_H

#include <stddef.h>
#include <stdint.h>

#define SPDC_TRAINER_ABI_VERSION 3

/* spd_yolo_rates, spd_group_rates and spd_update: the text that generated headers have too. */
#include "../../../templates/kernels/training.h"

/* As <prefix>_trainer, <prefix>_batch and <prefix>_parameter. */
typedef struct {
    float *values, *gradients, *momentum, *second_moments, *average, *sum;
    void *arena;
    size_t arena_bytes;
    float balances[5];
    int32_t threads;
} spdc_trainer;

typedef struct {
    const float *images;
    const int32_t *labels;
    const float *targets;
    int32_t target_count;
    double label_smoothing;
    const spd_yolo_rates *rates;
} spdc_batch;

typedef struct {
    const char *name;
    uint64_t offset, count;
    int32_t group;
    uint32_t rank, dimensions[4];
} spdc_parameter;

typedef struct {
    uint32_t abi_version, struct_bytes;
    const char *name;
    /* The arena takes arena_bytes + threads * scratch_bytes. */
    uint64_t graph_hash, state_count, arena_bytes, scratch_bytes;
    uint32_t batch, channels, height, width, classes, steps, max_targets, parameters, updates_in_backward;
    /* Of a YOLOv5 loss, and the balances that its levels begin with; else 0. */
    uint32_t levels;
    float balances[5];
    uint32_t reserved;
    const spdc_parameter *parameter_table;
    int (*run_steps)(void *trainer, const void *batch, const spd_update *update, float *losses, int first_step, int last_step);
    int (*accumulate)(void *trainer, int begins);
    int (*update)(void *trainer, const spd_update *update, double *norm);
    int (*threads)(int threads);
    const char *(*status)(int status);
} spdc_trainer_module;

#endif
