/* Updates after the backward pass: gradients first, then the optimiser's sweep over all of them. */

int @PREFIX@_gradients(@PREFIX@_trainer *trainer, const @PREFIX@_batch *batch, float losses[4])
{
    return @PREFIX@_steps(trainer, batch, NULL, losses, 0, @STEPS@);
}

int @PREFIX@_accumulate(@PREFIX@_trainer *trainer, int begins)
{
    const int status = check_trainer(trainer);
    if (status != @UPPER@_OK) return status;
    if (trainer->sum == NULL) return @UPPER@_NULL_POINTER;
    const int threads = trainer->threads;
    (void)threads;
    PARALLEL(threads)
    {
        @PREFIX@_optimizer_accumulate(trainer->gradients, trainer->sum, begins, THREAD, THREADS);
    }
    return @UPPER@_OK;
}

/* The optimiser's sweep over all parameters with the gradients that it is given. */
static int sweep(@PREFIX@_trainer *trainer, const spd_update *update, const float *gradients, double *norm)
{
    int status = check_trainer(trainer);
    if (status == @UPPER@_OK) status = check_update(trainer, update);
    if (status != @UPPER@_OK) return status;
    const int threads = trainer->threads;
    (void)threads;
    PARALLEL(threads)
    {
        const int thread = THREAD;
        const double length = @PREFIX@_optimizer(update, trainer->values, gradients, trainer->momentum, trainer->second_moments,
                                                 trainer->average, trainer->arena, thread, THREADS);
        if (thread == 0 && norm != NULL) *norm = length;
    }
    return @UPPER@_OK;
}

int @PREFIX@_update(@PREFIX@_trainer *trainer, const spd_update *update, double *norm)
{
    if (trainer == NULL) return @UPPER@_NULL_POINTER;
    return sweep(trainer, update, trainer->sum != NULL ? trainer->sum : trainer->gradients, norm);
}

int @PREFIX@_step(@PREFIX@_trainer *trainer, const @PREFIX@_batch *batch, const spd_update *update, float losses[4])
{
    int status = check_trainer(trainer);
    if (status == @UPPER@_OK) status = check_update(trainer, update);
    if (status == @UPPER@_OK) status = @PREFIX@_gradients(trainer, batch, losses);
    if (status != @UPPER@_OK || !is_finite(losses[0])) return status;
    return sweep(trainer, update, trainer->gradients, NULL);
}
