/* @TEXT@ */
INLINE void @NAME@(vec *v)
{
    const vec y = *v;@LINES@
    *v = @RESULT@;
}
