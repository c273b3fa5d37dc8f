#include <stdio.h>
#include "small_spd.h"

static _Alignas(64) unsigned char parameters[1 << 20];
static _Alignas(64) unsigned char packed[SMALL_SPD_PACKED_BYTES];
static _Alignas(64) unsigned char arena[SMALL_SPD_ARENA_BYTES(1)];
static float input[SMALL_SPD_INPUT_COUNT], output[SMALL_SPD_OUTPUT_COUNT];
