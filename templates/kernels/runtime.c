/* ---- the network ------------------------------------------------------------------------------------------------ */

/* The header of the packed weights. */
typedef struct { char magic[4]; uint32_t version; uint64_t pack_hash, graph_hash, reserved[5]; } packed_header;
_Static_assert(sizeof(packed_header) == 64, "the packed header is one cache line");

/* Steps first ..< last of a run, the share of thread `thread` of `threads`; every thread meets the others between steps. */
static void run(const float *weights, float *arena, const float *input, float *output, int first, int last, int thread,
                int threads)
{
    @SCRATCH@
    for (int step = first; step < last; step++) {
        if (step > first) {
            BARRIER
        }
        switch (step) {
@CASES@
        }
    }
    (void)weights, (void)arena, (void)input, (void)output;
}

/* The share of thread `thread` of `threads` of the packed weights. */
static void pack(const void *parameters, float *weights, int thread, int threads)
{
    /* Lanes without a channel stay zero. */
    const uint64_t end = (uint64_t)@PACKED_COUNT@ * (uint64_t)(thread + 1) / (uint64_t)threads;
    for (uint64_t i = (uint64_t)@PACKED_COUNT@ * (uint64_t)thread / (uint64_t)threads; i < end; i++) weights[i] = 0.0f;
    BARRIER
@PACK@
    (void)parameters;
}

int @PREFIX@_pack(const void *parameters, size_t parameter_bytes, void *packed, size_t packed_bytes)
{
    if (parameters == NULL || packed == NULL) return @UPPER@_NULL_POINTER;
    if ((uintptr_t)parameters % 64 != 0 || (uintptr_t)packed % 64 != 0) return @UPPER@_MISALIGNED;
    if (packed_bytes < @UPPER@_PACKED_BYTES) return @UPPER@_PACKED_TOO_SMALL;
    const int status = check_records(parameters, parameter_bytes);
    if (status != @UPPER@_OK) return status;
    const packed_header header = {{'S', 'P', 'D', 'P'}, 1, @PACK_HASH@u, @GRAPH_HASH@u, {0}};
    float *weights = (float *)(void *)((char *)packed + sizeof(packed_header));
    const int has_roots = check_roots(parameters);
    int damaged = 0;
    PARALLEL_DEFAULT
    {
        if (!check_digests(parameters, THREAD, THREADS)) {
            ATOMIC_WRITE
            damaged = 1;
        }
        BARRIER
        if (!damaged && has_roots) pack(parameters, weights, THREAD, THREADS);
    }
    if (damaged) return @UPPER@_PARAMETERS_DIGEST;
    if (!has_roots) return @UPPER@_PARAMETERS_VARIANCE;
    *(packed_header *)packed = header;
    return @UPPER@_OK;
}

int @PREFIX@_init(@PREFIX@_context *context, const void *packed, void *arena, size_t arena_bytes, int threads)
{
    if (context == NULL || packed == NULL || arena == NULL) return @UPPER@_NULL_POINTER;
    if ((uintptr_t)packed % 64 != 0 || (uintptr_t)arena % 64 != 0) return @UPPER@_MISALIGNED;
    if (threads < 1 || threads > @UPPER@_MAX_THREADS) return @UPPER@_BAD_THREADS;
    if (arena_bytes < @UPPER@_ARENA_BYTES(threads)) return @UPPER@_ARENA_TOO_SMALL;
    const packed_header *header = packed;
    if (header->magic[0] != 'S' || header->magic[1] != 'P' || header->magic[2] != 'D' || header->magic[3] != 'P' ||
        header->version != 1 || header->pack_hash != @PACK_HASH@u || header->graph_hash != @GRAPH_HASH@u)
        return @UPPER@_PACKED_FOREIGN;
    context->packed = packed;
    context->arena = arena;
    context->threads = threads;
    return @UPPER@_OK;
}

int @PREFIX@_infer_steps(const @PREFIX@_context *context, const float *input, float *output, int first, int last)
{
    if (context == NULL || context->packed == NULL || context->arena == NULL || input == NULL || output == NULL)
        return @UPPER@_NULL_POINTER;
    if (first < 0 || last > @STEPS@ || first > last) return @UPPER@_BAD_STEPS;
    const float *weights = (const float *)(const void *)((const char *)context->packed + sizeof(packed_header));
    float *arena = context->arena;
    const int threads = context->threads;
    (void)threads;
    PARALLEL(threads)
    {
        run(weights, arena, input, output, first, last, THREAD, THREADS);
    }
    return @UPPER@_OK;
}

int @PREFIX@_infer(const @PREFIX@_context *context, const float *input, float *output)
{
    return @PREFIX@_infer_steps(context, input, output, 0, @STEPS@);
}

int @PREFIX@_threads(const @PREFIX@_context *context)
{
    int granted = 1;
    const int threads = context == NULL ? 1 : context->threads;
    (void)threads;
    PARALLEL(threads)
    {
        if (THREAD == 0) granted = THREADS;
    }
    return granted;
}

const char *@PREFIX@_status(int status)
{
    switch (status) {
    case @UPPER@_OK: return "ok";
    case @UPPER@_NULL_POINTER: return "a pointer is NULL";
    case @UPPER@_MISALIGNED: return "a buffer is not aligned to 64 bytes";
    case @UPPER@_BAD_THREADS: return "the number of threads is outside of 1 to 1024";
    case @UPPER@_ARENA_TOO_SMALL: return "the arena is too small for this number of threads";
    case @UPPER@_PACKED_TOO_SMALL: return "the buffer for packed weights is too small";
    case @UPPER@_PACKED_FOREIGN: return "the packed weights were not made by this build of this network";
    case @UPPER@_PARAMETERS_TRUNCATED: return "the parameter file is cut off or its records point outside of it";
    case @UPPER@_PARAMETERS_MAGIC: return "this is no parameter file (it does not begin with SPDW)";
    case @UPPER@_PARAMETERS_VERSION: return "the parameter file has a version that this code does not know";
    case @UPPER@_PARAMETERS_GRAPH: return "the parameter file belongs to another network";
    case @UPPER@_PARAMETERS_DIGEST: return "the parameter file is damaged: a tensor does not match its digest";
    case @UPPER@_PARAMETERS_VARIANCE: return "a running variance is negative: its normalisation would divide by no number";
    case @UPPER@_BAD_STEPS: return "there are no such steps";
    default: return "unknown status";
    }
}

static int module_packs(const void *parameters, size_t parameter_bytes, void *packed, size_t packed_bytes)
{
    return @PREFIX@_pack(parameters, parameter_bytes, packed, packed_bytes);
}

static int module_infers(const void *packed, void *arena, size_t arena_bytes, int threads, const float *input, float *output,
                        int first, int last)
{
    @PREFIX@_context context;
    const int status = @PREFIX@_init(&context, packed, arena, arena_bytes, threads);
    return status != @UPPER@_OK ? status : @PREFIX@_infer_steps(&context, input, output, first, last);
}

static int module_thread_count(int threads)
{
    const @PREFIX@_context context = {NULL, NULL, threads};
    return @PREFIX@_threads(&context);
}

const void *@PREFIX@_module(void)
{
    typedef struct { uint32_t rank, dimensions[4]; } output_shape;
    static const output_shape outputs[] = {@OUTPUT_SHAPES@};
    /* The fields of spdc_module in SPDRuntime, version @UPPER@_ABI_VERSION. */
    typedef struct {
        uint32_t abi_version, struct_bytes;
        const char *name;
        uint64_t graph_hash, packed_bytes, arena_bytes, scratch_bytes;
        uint32_t batch, channels, height, width, classes, steps, outputs, reserved;
        const output_shape *output_shapes;
        int (*pack)(const void *, size_t, void *, size_t);
        int (*infer)(const void *, void *, size_t, int, const float *, float *, int, int);
        int (*threads)(int);
        const char *(*status)(int);
    } module;
    static const module description = {
        @UPPER@_ABI_VERSION, sizeof(module), @NAME@, @GRAPH_HASH@u, @UPPER@_PACKED_BYTES,
        4 * (uint64_t)@ARENA_COUNT@, 4 * (uint64_t)@SCRATCH_COUNT@,
        @BATCH@, @CHANNELS@, @HEIGHT@, @WIDTH@, @CLASSES@, @STEPS@, @OUTPUTS@, 0,
        outputs, module_packs, module_infers, module_thread_count, @PREFIX@_status};
    return &description;
}
