/* libFuzzer on `_pack`: each input is a list of changes to a parameter file that is right, read once from $PARAMETERS.
 *
 * First byte: bit 0: the digests of all records are made to fit again; bit 1: the file is cut; bit 2: the header says so.
 * Bytes 1 to 3: where it is cut. Then, 7 bytes each: 3 of a place, every other one among the header, the records and the names,
 * and 4 that are written there.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define STRING_(a) #a
#define STRING(a) STRING_(a)
#define F(name) PASTE(MODEL, name)
#define N(name) PASTE(MODEL_UPPER, name)
#include STRING(MODEL.h)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *right;
static size_t right_bytes;

static void *allocate(size_t bytes)
{
    void *result = NULL;
    /* Exactly so many: one byte more is the sanitizer's. */
    if (posix_memalign(&result, 64, bytes) != 0) abort();
    return result;
}

static void load(void)
{
    const char *path = getenv("PARAMETERS");
    FILE *file = path == NULL ? NULL : fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        fputs("PARAMETERS must name a parameter file\n", stderr);
        exit(66);
    }
    right_bytes = (size_t)ftell(file);
    right = allocate(right_bytes);
    rewind(file);
    if (fread(right, 1, right_bytes, file) != right_bytes) exit(66);
    fclose(file);
}

static uint64_t number(const uint8_t *file, size_t at)
{
    uint64_t value;
    memcpy(&value, file + at, sizeof value);
    return value;
}

static void repair(uint8_t *file, size_t bytes)
{
    uint32_t tensors;
    if (bytes < 64) return;
    memcpy(&tensors, file + 24, sizeof tensors);
    for (size_t record = 64, i = 0; i < tensors && record + 64 <= bytes; i++, record += 64) {
        const uint64_t offset = number(file, record), count = number(file, record + 8);
        if (offset > bytes || count > (bytes - offset) / 4) continue;
        uint64_t digest = 0xcbf29ce484222325u;
        for (uint64_t k = 0; k < count; k++) {
            uint32_t word;
            memcpy(&word, file + offset + 4 * k, sizeof word);
            digest = (digest ^ word) * 0x100000001b3u;
        }
        memcpy(file + record + 16, &digest, sizeof digest);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (right == NULL) load();
    if (size < 4) return 0;
    size_t bytes = right_bytes;
    if (data[0] & 2) bytes = ((size_t)data[1] | (size_t)data[2] << 8 | (size_t)data[3] << 16) % (right_bytes + 1);
    uint8_t *file = allocate(bytes), *packed = allocate(N(_PACKED_BYTES));
    memcpy(file, right, bytes);
    for (size_t i = 4; i + 7 <= size && bytes > 0; i += 7) {
        const size_t place = (size_t)data[i] | (size_t)data[i + 1] << 8 | (size_t)data[i + 2] << 16;
        const size_t at = (place & 1 ? place >> 1 : place >> 1 & 0x1fff) % bytes, room = bytes - at < 4 ? bytes - at : 4;
        memcpy(file + at, data + i + 3, room);
    }
    const uint64_t length = bytes;
    if (data[0] & 4 && bytes >= 24) memcpy(file + 16, &length, sizeof length);
    if (data[0] & 1) repair(file, bytes);
    memset(packed, 0xff, N(_PACKED_BYTES));
    const int status = F(_pack)(file, bytes, packed, N(_PACKED_BYTES));
    F(_context) context;
    static _Alignas(64) uint8_t arena[64];
    /* Only what was packed may pass for packed weights. */
    const int opened = F(_init)(&context, packed, arena, SIZE_MAX, 1);
    if ((status == N(_OK)) != (opened == N(_OK))) abort();
    free(file);
    free(packed);
    return 0;
}
