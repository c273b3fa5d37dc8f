/* ---- packing: from the parameters to the kernels' order, in each step ------------------------------------------- */

/* Channels of a weight W[o][i][tap], as a kernel counts them: channel c is `first + c * stride` floats into W. Runs begin whole
 * blocks of 16; lanes after a run's last channel are zero. */
typedef struct { int count; ptrdiff_t first, stride; } weight_run;

/* Position of each channel of block `block` of the runs in W, and how many channels the block has. */
static int weight_block(const weight_run *runs, int block, ptrdiff_t positions[BLOCK])
{
    while (block >= (runs->count + BLOCK - 1) / BLOCK) block -= (runs->count + BLOCK - 1) / BLOCK, runs++;
    const int left = runs->count - block * BLOCK, count = left < BLOCK ? left : BLOCK;
    for (int c = 0; c < BLOCK; c++) positions[c] = runs->first + (block * BLOCK + (c < count ? c : 0)) * runs->stride;
    return count;
}

/* The same for whole blocks where the taps of 16 inputs lie side by side, as those of one output do: by vectors of outputs. */
static void pack_transposed(float *to, ptrdiff_t tap_step, ptrdiff_t line, ptrdiff_t in, const ptrdiff_t *out, const float *w,
                            int taps)
{
    for (int o = 0; o < BLOCK; o += VL) {
        int tap = 0, lane = 0;
        for (int at = 0; at < BLOCK * taps; at += VL) {
            vec rows[VL];
            UNROLL
            for (int i = 0; i < VL; i++) memcpy(rows + i, w + out[o + i] + in + at, sizeof(vec));
            transpose(rows);
            UNROLL
            for (int i = 0; i < VL; i++) {
                PUT(to + tap * tap_step + lane * line + o, rows[i]);
                if (++tap == taps) tap = 0, lane++;
            }
        }
    }
}

/* The same for an adjoint, whose outputs are the inputs of W: transposed twice, by way of [tap][output][lane]. */
enum { ADJOINT_TAPS = 9 };
static void pack_adjoint(float *to, ptrdiff_t tap_step, ptrdiff_t line, const ptrdiff_t *in, ptrdiff_t out, const float *w,
                         int taps, const int *tap_offsets)
{
    _Alignas(64) float turned[ADJOINT_TAPS][BLOCK][BLOCK];
    vec rows[VL];
    for (int lane = 0; lane < BLOCK; lane += VL) {
        int tap = 0, o = 0;
        for (int at = 0; at < BLOCK * taps; at += VL) {
            UNROLL
            for (int i = 0; i < VL; i++) memcpy(rows + i, w + in[lane + i] + out + at, sizeof(vec));
            transpose(rows);
            UNROLL
            for (int i = 0; i < VL; i++) {
                PUT(&turned[tap][o][lane], rows[i]);
                if (++tap == taps) tap = 0, o++;
            }
        }
    }
    for (int tap = 0; tap < taps; tap++) {
        for (int lane = 0; lane < BLOCK; lane += VL) {
            for (int o = 0; o < BLOCK; o += VL) {
                UNROLL
                for (int i = 0; i < VL; i++) rows[i] = AT(&turned[tap_offsets[tap]][o + i][lane]);
                transpose(rows);
                UNROLL
                for (int i = 0; i < VL; i++) PUT(to + tap * tap_step + (lane + i) * line + o, rows[i]);
            }
        }
    }
}

/* One block of inputs by one of outputs: to[tap * tap_step + lane * line + o], zero where there is no channel. */
static void pack_block(float *to, ptrdiff_t tap_step, ptrdiff_t line, const weight_run *inputs, int in_block,
                       const weight_run *outputs, int out_block, const float *w, int taps, const int *tap_offsets)
{
    ptrdiff_t in[BLOCK], out[BLOCK];
    const int ins = weight_block(inputs, in_block, in), outs = weight_block(outputs, out_block, out);
    if (ins < BLOCK || outs < BLOCK) {
        for (int tap = 0; tap < taps; tap++) {
            for (int lane = 0; lane < BLOCK; lane++) {
                for (int o = 0; o < BLOCK; o++) to[tap * tap_step + lane * line + o] = 0.0f;
            }
        }
    }
    if (ins == BLOCK && outs == BLOCK && in[1] - in[0] == taps && tap_offsets[taps - 1] == taps - 1) {
        pack_transposed(to, tap_step, line, in[0], out, w, taps);
        return;
    }
    /* Each tap once; an upsampled tensor's adjoint has the same one several times. */
    const int whole = tap_offsets[0] + tap_offsets[taps - 1] == taps - 1;
    if (taps > 1 && taps <= ADJOINT_TAPS && whole && ins == BLOCK && outs == BLOCK && out[1] - out[0] == taps) {
        pack_adjoint(to, tap_step, line, in, out[0], w, taps, tap_offsets);
        return;
    }
    if (taps == 1 && outs == BLOCK && out[1] - out[0] == 1) {
        for (int lane = 0; lane < ins; lane++) memcpy(to + lane * line, w + in[lane] + out[0], BLOCK * sizeof(float));
        return;
    }
    /* W is read as it lies. */
    if (outs > 1 && out[1] - out[0] < in[ins > 1 ? 1 : 0] - in[0]) {
        for (int lane = 0; lane < ins; lane++) {
            for (int o = 0; o < outs; o++) {
                for (int tap = 0; tap < taps; tap++)
                    to[tap * tap_step + lane * line + o] = w[in[lane] + out[o] + tap_offsets[tap]];
            }
        }
        return;
    }
    for (int o = 0; o < outs; o++) {
        for (int lane = 0; lane < ins; lane++) {
            for (int tap = 0; tap < taps; tap++)
                to[tap * tap_step + lane * line + o] = w[in[lane] + out[o] + tap_offsets[tap]];
        }
    }
}
