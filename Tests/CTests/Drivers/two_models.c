/* Two networks in one program; the text is C11 and C++17.
 *
 * usage: two_models WEIGHTS-1 INPUT-1 OUTPUT-1 WEIGHTS-2 INPUT-2 OUTPUT-2
 */
#include "every_op.h"
#include "second.h"

#include <stdio.h>
#include <stdlib.h>

static void *allocate(size_t bytes)
{
    void *result = NULL;
    if (posix_memalign(&result, 64, bytes + 64) != 0) exit(2);
    return result;
}

static void *read_file(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) exit(3);
    *bytes = (size_t)ftell(file);
    if (fseek(file, 0, SEEK_SET) != 0) exit(3);
    void *result = allocate(*bytes);
    if (fread(result, 1, *bytes, file) != *bytes) exit(3);
    fclose(file);
    return result;
}

static void write_file(const char *path, const float *values, size_t count)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(values, sizeof(float), count, file) != count || fclose(file) != 0) exit(4);
}

static void check(int status, const char *text)
{
    if (status == 0) return;
    fprintf(stderr, "error: %s\n", text);
    exit(1);
}

int main(int argc, char **argv)
{
    if (argc != 7) return 5;
    size_t first_bytes = 0, second_bytes = 0, ignored = 0;
    void *first_parameters = read_file(argv[1], &first_bytes), *second_parameters = read_file(argv[4], &second_bytes);
    float *first_input = (float *)read_file(argv[2], &ignored), *second_input = (float *)read_file(argv[5], &ignored);
    void *first_packed = allocate(EVERY_OP_PACKED_BYTES), *first_arena = allocate(EVERY_OP_ARENA_BYTES(2));
    void *second_packed = allocate(SECOND_PACKED_BYTES), *second_arena = allocate(SECOND_ARENA_BYTES(1));
    float *first_output = (float *)allocate(EVERY_OP_OUTPUT_COUNT * sizeof(float));
    float *second_output = (float *)allocate(SECOND_OUTPUT_COUNT * sizeof(float));
    every_op_context first;
    second_context second;
    int status = every_op_pack(first_parameters, first_bytes, first_packed, EVERY_OP_PACKED_BYTES);
    check(status, every_op_status(status));
    status = second_pack(second_parameters, second_bytes, second_packed, SECOND_PACKED_BYTES);
    check(status, second_status(status));
    status = every_op_init(&first, first_packed, first_arena, EVERY_OP_ARENA_BYTES(2), 2);
    check(status, every_op_status(status));
    status = second_init(&second, second_packed, second_arena, SECOND_ARENA_BYTES(1), 1);
    check(status, second_status(status));

    /* Neither takes the other's weights or parameters. */
    if (every_op_init(&first, second_packed, first_arena, EVERY_OP_ARENA_BYTES(2), 2) != EVERY_OP_PACKED_FOREIGN) return 6;
    if (every_op_pack(second_parameters, second_bytes, first_packed, EVERY_OP_PACKED_BYTES) != EVERY_OP_PARAMETERS_GRAPH)
        return 7;
    for (int round = 0; round < 2; round++) {
        status = every_op_infer(&first, first_input, first_output);
        check(status, every_op_status(status));
        status = second_infer(&second, second_input, second_output);
        check(status, second_status(status));
    }
    write_file(argv[3], first_output, EVERY_OP_OUTPUT_COUNT);
    write_file(argv[6], second_output, SECOND_OUTPUT_COUNT);
    free(first_parameters), free(first_input), free(first_packed), free(first_arena), free(first_output);
    free(second_parameters), free(second_input), free(second_packed), free(second_arena), free(second_output);
    return 0;
}
