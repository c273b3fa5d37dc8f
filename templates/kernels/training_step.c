/* ---- the training step ------------------------------------------------------------------------------------------ */

/* Steps first ..< last, the share of thread `thread` of `threads`; every thread meets the others between steps. */
static void run(@PREFIX@_trainer *trainer, const @PREFIX@_batch *batch, const spd_update *update, float *losses, int first,
                int last, int thread, int threads)
{
    float *values = trainer->values, *gradients = trainer->gradients, *arena = trainer->arena;
    const float *input = batch->images;
    @SCRATCH@
    for (int step = first; step < last; step++) {
        if (step > first) {
            BARRIER
        }
        switch (step) {
@CASES@
        }
    }
    (void)values, (void)gradients, (void)arena, (void)input, (void)losses, (void)update;
}

const @PREFIX@_parameter @PREFIX@_parameters[@PARAMETERS@] = {
    @PARAMETER_TABLE@
};

static int check_trainer(const @PREFIX@_trainer *trainer)
{
    if (trainer == NULL || trainer->values == NULL || trainer->arena == NULL) return @UPPER@_NULL_POINTER;
    if (!@UPPER@_UPDATES_IN_BACKWARD && trainer->gradients == NULL) return @UPPER@_NULL_POINTER;
    const void *const all[] = {trainer->values,         trainer->gradients, trainer->momentum, trainer->second_moments,
                               trainer->average,        trainer->sum,       trainer->arena};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if ((uintptr_t)all[i] % 64 != 0) return @UPPER@_MISALIGNED;
    }
    if (trainer->threads < 1 || trainer->threads > @UPPER@_MAX_THREADS) return @UPPER@_BAD_THREADS;
    return trainer->arena_bytes < @UPPER@_ARENA_BYTES(trainer->threads) ? @UPPER@_ARENA_TOO_SMALL : @UPPER@_OK;
}

static int check_update(const @PREFIX@_trainer *trainer, const spd_update *update)
{
    const double largest = 3.4028234663852886e38; /* of a float, which is what each becomes */
    if (update == NULL || update->groups == NULL || trainer->momentum == NULL) return @UPPER@_NULL_POINTER;
    if (update->rule != SPD_SGD && update->rule != SPD_ADAM && update->rule != SPD_ADAMW) return @UPPER@_BAD_HYPERPARAMETER;
    const int adam = update->rule != SPD_SGD;
    if (adam && trainer->second_moments == NULL) return @UPPER@_NULL_POINTER;
    int valid = is_within(update->gradient_scale, -largest, largest) && is_within(update->max_norm, 0.0, 1.7976931348623157e308);
    if (trainer->average != NULL) valid &= is_within(update->ema_decay, 0.0, 1.0);
    for (int i = 0; i < @GROUPS@; i++) {
        const spd_group_rates *group = update->groups + i;
        valid &= is_within(group->learning_rate, 0.0, largest) && is_within(group->weight_decay, 0.0, largest) &&
                 is_within(group->momentum, 0.0, largest) && (!adam || group->momentum < 1.0);
    }
    if (adam) {
        valid &= update->step >= 1 && is_within(update->second_momentum, 0.0, 1.0) && update->second_momentum < 1.0;
        valid &= is_within(update->epsilon, 1.1754943508222875e-38, largest); /* 0 / 0 for a gradient of 0 otherwise */
    }
    return valid ? @UPPER@_OK : @UPPER@_BAD_HYPERPARAMETER;
}

int @PREFIX@_steps(@PREFIX@_trainer *trainer, const @PREFIX@_batch *batch, const spd_update *update, float losses[4], int first,
                   int last)
{
    int status = check_trainer(trainer);
    if (status != @UPPER@_OK) return status;
    if (batch == NULL || batch->images == NULL || losses == NULL) return @UPPER@_NULL_POINTER;
    if (first < 0 || last > @STEPS@ || first > last) return @UPPER@_BAD_STEPS;
    if (@UPPER@_UPDATES_IN_BACKWARD && (update == NULL || update->max_norm > 0.0)) return @UPPER@_UPDATED_IN_BACKWARD;
    /* Before anything runs, so that a refused update leaves running statistics alone, too. */
    if (update != NULL) status = check_update(trainer, update);
    if (status != @UPPER@_OK) return status;
    @CHECK_TARGETS@
    const int threads = trainer->threads;
    (void)threads;
    PARALLEL(threads)
    {
        run(trainer, batch, update, losses, first, last, THREAD, THREADS);
    }
    return @UPPER@_OK;
}

@UPDATES@
int @PREFIX@_threads(int threads)
{
    int granted = 1;
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
    case @UPPER@_BAD_STEPS: return "there are no such steps";
    case @UPPER@_TOO_MANY_TARGETS: return "there are more targets than the code was compiled for (--max-targets)";
    case @UPPER@_BAD_TARGETS: return "a target names an image or class that does not exist, its box is not finite, or there are not as many as results";
    case @UPPER@_BAD_HYPERPARAMETER:
        return "a rate, decay, momentum, step, smoothing or gain is not finite or outside of the range that the header gives for it";
    case @UPPER@_UPDATED_IN_BACKWARD:
        return "it was compiled to update each parameter as soon as its gradient is there (--update-in-backward): it keeps no gradients "
               "to add up, to clip or to look at";
    default: return "unknown status";
    }
}

static int module_steps(void *trainer, const void *batch, const spd_update *update, float *losses, int first, int last)
{
    return @PREFIX@_steps(trainer, batch, update, losses, first, last);
}

static int module_accumulate(void *trainer, int begins) { return @PREFIX@_accumulate(trainer, begins); }

static int module_update(void *trainer, const spd_update *update, double *norm)
{
    return @PREFIX@_update(trainer, update, norm);
}

const void *@PREFIX@_module(void)
{
    /* The fields of spdc_trainer_module in SPDRuntime, version @UPPER@_ABI_VERSION. */
    typedef struct {
        uint32_t abi_version, struct_bytes;
        const char *name;
        uint64_t graph_hash, state_count, arena_bytes, scratch_bytes;
        uint32_t batch, channels, height, width, classes, steps, max_targets, parameters, updates_in_backward, levels;
        float balances[5];
        uint32_t reserved;
        const @PREFIX@_parameter *parameter_table;
        int (*run_steps)(void *, const void *, const spd_update *, float *, int, int);
        int (*accumulate)(void *, int);
        int (*update)(void *, const spd_update *, double *);
        int (*threads)(int);
        const char *(*status)(int);
    } module;
    static const module description = {
        @UPPER@_ABI_VERSION, sizeof(module), @NAME@, @GRAPH_HASH@u, @UPPER@_STATE_COUNT, 4 * (uint64_t)@ARENA_COUNT@,
        4 * (uint64_t)@SCRATCH_COUNT@, @BATCH@, @CHANNELS@, @HEIGHT@, @WIDTH@, @CLASSES@, @STEPS@, @UPPER@_MAX_TARGETS,
        @PARAMETERS@, @UPPER@_UPDATES_IN_BACKWARD, @LEVELS@, @UPPER@_BALANCES, 0, @PREFIX@_parameters, module_steps,
        module_accumulate, module_update, @PREFIX@_threads, @PREFIX@_status};
    return &description;
}
