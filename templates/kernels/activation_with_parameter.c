/* @TEXT@ */
INLINE void @NAME@(vec *v, const float *parameter)
{
    const vec y = *v, t = AT(parameter);@LINES@
    *v = @RESULT@;
}
