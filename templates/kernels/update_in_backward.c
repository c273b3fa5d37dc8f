/* Updates in the backward pass: there is one kind of step, and no gradients outlast it. */

int @PREFIX@_gradients(@PREFIX@_trainer *trainer, const @PREFIX@_batch *batch, float losses[4])
{
    (void)trainer, (void)batch, (void)losses;
    return @UPPER@_UPDATED_IN_BACKWARD;
}

int @PREFIX@_accumulate(@PREFIX@_trainer *trainer, int begins)
{
    (void)trainer, (void)begins;
    return @UPPER@_UPDATED_IN_BACKWARD;
}

int @PREFIX@_update(@PREFIX@_trainer *trainer, const spd_update *update, double *norm)
{
    (void)trainer, (void)update, (void)norm;
    return @UPPER@_UPDATED_IN_BACKWARD;
}

int @PREFIX@_step(@PREFIX@_trainer *trainer, const @PREFIX@_batch *batch, const spd_update *update, float losses[4])
{
    return update == NULL ? @UPPER@_NULL_POINTER : @PREFIX@_steps(trainer, batch, update, losses, 0, @STEPS@);
}
