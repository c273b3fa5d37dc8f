/* ---- parameters: the checked file that spdc writes ----------------------------------------------------------- */

/* All numbers little-endian. Header: 64 bytes; then one record of 64 bytes per tensor; then names; then the tensors, each
 * at a multiple of 64 bytes. */
typedef struct {
    char magic[4];
    uint32_t version;
    uint64_t graph_hash, bytes;
    uint32_t tensors, reserved[9];
} file_header;

typedef struct {
    uint64_t offset, count, digest, name_hash; /* digest: FNV-1a over the 32-bit words; name_hash: FNV-1a over the bytes */
    uint32_t name_offset, name_length, rank, dimensions[4], reserved;
} file_record;

_Static_assert(sizeof(file_header) == 64 && sizeof(file_record) == 64, "the parameter file has records of 64 bytes");

/* Name hash and count of each tensor that this network reads. */
static const struct { uint64_t name_hash, count; } @PREFIX@_tensors[] = {
    @TENSORS@
};
enum { TENSORS = (int)(sizeof @PREFIX@_tensors / sizeof @PREFIX@_tensors[0]) };

/* Tensors of running variances, and what a normalisation adds to them; -1 ends the list. */
static const struct { int tensor; double epsilon; } @PREFIX@_variances[] = {
    @VARIANCES@
};

static const float *tensor(const void *file, int index)
{
    const file_record *records = (const file_record *)((const char *)file + sizeof(file_header));
    return (const float *)(const void *)((const char *)file + records[index].offset);
}

/* Everything but the tensors themselves. */
static int check_records(const void *file, size_t bytes)
{
    const file_header *header = file;
    if (bytes < sizeof(file_header)) return @UPPER@_PARAMETERS_TRUNCATED;
    if (header->magic[0] != 'S' || header->magic[1] != 'P' || header->magic[2] != 'D' || header->magic[3] != 'W')
        return @UPPER@_PARAMETERS_MAGIC;
    if (header->version != 1) return @UPPER@_PARAMETERS_VERSION;
    if (header->graph_hash != @GRAPH_HASH@u || header->tensors != (uint32_t)TENSORS) return @UPPER@_PARAMETERS_GRAPH;
    if (header->bytes > bytes || header->bytes < sizeof(file_header) + TENSORS * sizeof(file_record))
        return @UPPER@_PARAMETERS_TRUNCATED;
    const file_record *records = (const file_record *)(const void *)(header + 1);
    for (int i = 0; i < TENSORS; i++) {
        if (records[i].name_hash != @PREFIX@_tensors[i].name_hash || records[i].count != @PREFIX@_tensors[i].count)
            return @UPPER@_PARAMETERS_GRAPH;
        if (records[i].offset % 64 != 0 || records[i].offset > header->bytes ||
            records[i].count > (header->bytes - records[i].offset) / sizeof(float))
            return @UPPER@_PARAMETERS_TRUNCATED;
    }
    return @UPPER@_OK;
}

/* Whether every normalisation has a root to divide by; where there is none PyTorch gives NaN or infinity. NaN passes: it shows in
 * the results. */
static int check_roots(const void *file)
{
    for (int i = 0; @PREFIX@_variances[i].tensor >= 0; i++) {
        const int index = @PREFIX@_variances[i].tensor;
        const float *variance = tensor(file, index);
        for (uint64_t k = 0; k < @PREFIX@_tensors[index].count; k++) {
            if ((double)variance[k] + @PREFIX@_variances[i].epsilon <= 0.0) return 0;
        }
    }
    return 1;
}

/* Whether tensors match their digests: those whose middle lies in the share of thread `thread` of `threads` of all numbers. */
static int check_digests(const void *file, int thread, int threads)
{
    const file_record *records = (const file_record *)(const void *)((const char *)file + sizeof(file_header));
    uint64_t total = 0, before = 0;
    for (int i = 0; i < TENSORS; i++) total += @PREFIX@_tensors[i].count;
    for (int i = 0; i < TENSORS; i++) {
        const uint64_t count = @PREFIX@_tensors[i].count, middle = before + count / 2;
        before += count;
        if (middle * (uint64_t)threads / total != (uint64_t)thread) continue;
        const uint32_t *words = (const uint32_t *)(const void *)tensor(file, i);
        uint64_t digest = 0xcbf29ce484222325u;
        for (uint64_t k = 0; k < count; k++) digest = (digest ^ words[k]) * 0x100000001b3u;
        if (digest != records[i].digest) return 0;
    }
    return 1;
}

/* ---- packing: from the parameters to the kernels' order, batch normalisation folded in --------------------------- */

/* Packing is shared out: of each tensor, a thread packs the share of thread `thread` of `threads` of the outputs or of the inputs. */
INLINE int share(int count, int thread, int threads) { return (int)((int64_t)count * thread / threads); }

/* Batch normalisation with running statistics; weight NULL: none. */
typedef struct { const float *weight, *bias, *mean, *variance; double epsilon; } batch_norm;

/* Channel c of a segment is input channel first + c * stride of the weights. */
typedef struct { int channels, first, stride; } input_view;

static double square_root(double a)
{
    if (!(a > 0.0) || a > 1e300) return a;
    union { double number; uint64_t bits; } guess = {.number = a};
    guess.bits = (guess.bits >> 1) + 0x1ff8000000000000u; /* half the exponent: within 6 % */
    double root = guess.number;
    for (int i = 0; i < 5; i++) root = 0.5 * (root + a / root);
    return root;
}

/* gamma / sqrt(variance + epsilon) of one channel; 1 without normalisation. */
static double norm_scale(const batch_norm *norm, int channel)
{
    if (norm->weight == NULL) return 1.0;
    return norm->weight[channel] / square_root(norm->variance[channel] + norm->epsilon);
}

/* beta + (bias - mean) * scale. */
static double norm_shift(const batch_norm *norm, int channel, double bias)
{
    if (norm->weight == NULL) return bias;
    return norm->bias[channel] + (bias - norm->mean[channel]) * norm_scale(norm, channel);
}
