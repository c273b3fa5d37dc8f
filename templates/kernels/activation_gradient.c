/* The gradient of an activation f(y, t) with a learned parameter t: of its argument, dy df/dy, and of the parameter, the sum of
 * dy df/dt over all pixels and, where one value serves all channels, over these.
 *
 * Rows are cut into chunks of CHUNK rows, whatever the number of threads, and chunks are added up in order, in double precision.
 * `parameter` has a value for each channel, up to a whole block. Layout and names as in normalize_gradient.
 *
 * Holes. IMAGES, ROWS, COLS, BLOCKS, CHANNELS, CHUNK; G_, X_ and D_ IMAGE, ROW and BLOCK: strides of the result's gradient, of
 * the argument x and of its gradient dx; LINES: both derivatives from y and t; SLOPE, BY_PARAMETER: where they are; STORE: a
 * statement that stores the gradient d, or adds it to what is there; COUNT: values of the parameter, 1 or CHANNELS. scratch:
 * chunks * BLOCKS * 16 floats.
 */

/* @NAME@: @CHANNELS@ channels of @IMAGES@ x @ROWS@ x @COLS@. */
OUTLINE void @NAME@(const float *dy, const float *x, const float *parameter, float *dx, float *dt, float *scratch, int thread,
                    int threads)
{
    enum { LINES = @IMAGES@ * @ROWS@, CHUNKS = (LINES + @CHUNK@ - 1) / @CHUNK@, WIDTH = @BLOCKS@ * BLOCK };
    const int end = (int)((int64_t)CHUNKS * (thread + 1) / threads);
    for (int chunk = (int)((int64_t)CHUNKS * thread / threads); chunk < end; chunk++) {
        const int low = chunk * @CHUNK@, high = low + @CHUNK@ < LINES ? low + @CHUNK@ : LINES;
        for (int lanes = 0; lanes < WIDTH; lanes += VL) {
            const int block = lanes / BLOCK, n = lanes % BLOCK;
            const vec t = AT(parameter + lanes);
            vec sum = SPLAT(0.0f);
            for (int line = low; line < high; line++) {
                const int image = line / @ROWS@, row = line % @ROWS@;
                const float *from = dy + image * (ptrdiff_t)@G_IMAGE@ + row * (ptrdiff_t)@G_ROW@ + block * (ptrdiff_t)@G_BLOCK@ + n;
                const float *in = x + image * (ptrdiff_t)@X_IMAGE@ + row * (ptrdiff_t)@X_ROW@ + block * (ptrdiff_t)@X_BLOCK@ + n;
                float *out = dx + image * (ptrdiff_t)@D_IMAGE@ + row * (ptrdiff_t)@D_ROW@ + block * (ptrdiff_t)@D_BLOCK@ + n;
                for (int col = 0; col < @COLS@; col++) {
                    const vec g = AT(from + col * BLOCK), y = AT(in + col * BLOCK);
                    float *to = out + col * BLOCK;@LINES@
                    const vec d = g * @SLOPE@;
                    sum += g * @BY_PARAMETER@;
                    @STORE@
                    (void)y, (void)t, (void)to, (void)d;
                }
            }
            PUT(scratch + (ptrdiff_t)chunk * WIDTH + lanes, sum);
        }
    }
    BARRIER
    /* One value is the first thread's, so that there is one order. */
    const int first = @COUNT@ == 1 ? 0 : (int)((int64_t)@CHANNELS@ * thread / threads);
    const int last = @COUNT@ == 1 ? (thread == 0 ? @CHANNELS@ : 0) : (int)((int64_t)@CHANNELS@ * (thread + 1) / threads);
    double all = 0.0;
    for (int c = first; c < last; c++) {
        double own = 0.0;
        for (int chunk = 0; chunk < CHUNKS; chunk++) own += scratch[(ptrdiff_t)chunk * WIDTH + c];
        all += own;
        if (@COUNT@ > 1) dt[c] = (float)own;
    }
    if (@COUNT@ == 1 && thread == 0) dt[0] = (float)all;
}
