#include <stdio.h>
#include "small_spd.h"

static _Alignas(64) unsigned char parameters[1 << 20];
static _Alignas(64) unsigned char packed[SMALL_SPD_PACKED_BYTES];
static _Alignas(64) unsigned char arena[SMALL_SPD_ARENA_BYTES(1)];
static float input[SMALL_SPD_INPUT_COUNT], output[SMALL_SPD_OUTPUT_COUNT];

int main(int count, char **arguments)
{
    FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
    if (file == NULL) return 1;
    const size_t bytes = fread(parameters, 1, sizeof parameters, file);

    small_spd_context context;
    int status = small_spd_pack(parameters, bytes, packed, sizeof packed);
    if (status == SMALL_SPD_OK) status = small_spd_init(&context, packed, arena, sizeof arena, 1);
    if (status == SMALL_SPD_OK) status = small_spd_infer(&context, input, output);
    if (status != SMALL_SPD_OK) {
        fprintf(stderr, "%s\n", small_spd_status(status));
        return 1;
    }
    for (int i = 0; i < SMALL_SPD_CLASSES; i++) printf("%d %g\n", i, output[i]);
}
