/* What the function <prefix>_module() of generated C returns: a network for those who do not know its name. */
#ifndef SPDC_MODULE_H
#define SPDC_MODULE_H

#include <stddef.h>
#include <stdint.h>

#include "spdc_trainer.h"

#define SPDC_MODULE_ABI_VERSION 1

typedef struct {
    uint32_t rank, dimensions[4];
} spdc_output_shape;

typedef struct {
    uint32_t abi_version, struct_bytes;
    const char *name;
    /* The arena takes arena_bytes + threads * scratch_bytes. */
    uint64_t graph_hash, packed_bytes, arena_bytes, scratch_bytes;
    uint32_t batch, channels, height, width, classes, steps, outputs, reserved;
    const spdc_output_shape *output_shapes;
    int (*pack)(const void *parameters, size_t parameter_bytes, void *packed, size_t packed_bytes);
    int (*infer)(const void *packed, void *arena, size_t arena_bytes, int threads, const float *input, float *output,
                 int first_step, int last_step);
    /* Threads that a run asking for so many really gets. */
    int (*threads)(int threads);
    const char *(*status)(int status);
} spdc_module;

#endif
