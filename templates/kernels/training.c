/* ---- the training step ------------------------------------------------------------------------------------------ */

/* Steps first ..< last of forward and backward, the share `part` of `parts`; every part meets the others between steps. */
static void run(float *values, float *gradients, float *arena, const @PREFIX@_batch *batch, float *losses, int first, int last,
                int part, int parts)
{
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
    (void)values, (void)gradients, (void)arena, (void)input, (void)losses;
}

static int check_trainer(const @PREFIX@_trainer *trainer)
{
    if (trainer == NULL || trainer->values == NULL || trainer->gradients == NULL || trainer->arena == NULL)
        return @UPPER@_NULL_POINTER;
    if ((uintptr_t)trainer->values % 64 != 0 || (uintptr_t)trainer->gradients % 64 != 0 || (uintptr_t)trainer->arena % 64 != 0 ||
        (uintptr_t)trainer->momentum % 64 != 0 || (uintptr_t)trainer->second_moments % 64 != 0 ||
        (uintptr_t)trainer->average % 64 != 0)
        return @UPPER@_MISALIGNED;
    if (trainer->threads < 1 || trainer->threads > @UPPER@_MAX_THREADS) return @UPPER@_BAD_THREADS;
    if (trainer->arena_bytes < @UPPER@_ARENA_BYTES(trainer->threads)) return @UPPER@_ARENA_TOO_SMALL;
    return @UPPER@_OK;
}

int @PREFIX@_gradients_steps(const @PREFIX@_trainer *trainer, const @PREFIX@_batch *batch, float losses[4], int first, int last)
{
    const int status = check_trainer(trainer);
    if (status != @UPPER@_OK) return status;
    if (batch == NULL || batch->images == NULL || losses == NULL) return @UPPER@_NULL_POINTER;
    if (first < 0 || last > @STEPS@ || first > last) return @UPPER@_BAD_STEPS;
@CHECK_TARGETS@
    float *values = trainer->values, *gradients = trainer->gradients, *arena = trainer->arena;
    const int threads = trainer->threads;
    (void)threads;
    PARALLEL(threads)
    {
        run(values, gradients, arena, batch, losses, first, last, PART, PARTS);
    }
    return @UPPER@_OK;
}

int @PREFIX@_gradients(const @PREFIX@_trainer *trainer, const @PREFIX@_batch *batch, float losses[4])
{
    return @PREFIX@_gradients_steps(trainer, batch, losses, 0, @STEPS@);
}
