/* The YOLOv5 loss: targets to matches, the three terms, and the gradient of their sum by every logit.
 *
 * Layout. x[level] and dx[level] are [image][row][block][column][16] with A (5 + C) channels: anchor a has box, objectness
 * and classes from channel a (5 + C) on. All of dx is written, padded lanes with 0. A target is six numbers: image, class,
 * and the box's centre and size as fractions of the image.
 *
 * Matches. At each level a target, in cells of that level, matches the anchors none of whose sides is anchor_limit times
 * longer or shorter. Each such anchor answers in the target's own cell and in the neighbour nearer to the centre, to the
 * left or right and above or below; a centre on the very border between two cells finds its own cell again, which counts
 * again. The order is: all own cells, then left, above, right, below; within these by anchor, then by target. Decisions
 * are made in single precision: on borders their outcome is that of rounding.
 *
 * Formula. For the n matches of a level of N anchors in all cells, with BCE as in training_math.c:
 *     box = 1/n sum (1 - CIoU),  objectness = balance / N sum BCE(x_4, t),  classes = 1/(n C) sum BCE(x_5+c, smoothed)
 * where t is 0, or max(0, CIoU) of the last match in that place, taken as a constant. With one class there is no class
 * term. losses[1], [2] and [3] are these summed over the levels, times their gains; losses[0] is their sum times IMAGES,
 * and dx its derivative. With autobalance, afterwards balance <- 0.9999 balance + 0.0001 / mean BCE of each level, all
 * divided by that of level REFERENCE.
 *
 * Threads. Each row of a level in an image is one thread's, who clears it, goes through its matches in the order above,
 * then through its objectness. Each row has sums of its own, which the first thread adds up in order.
 *
 * Preconditions. _check has accepted the targets. x and dx do not overlap; scratch is aligned to 64 bytes. All threads
 * run at the same time, since they meet at barriers. The texts of training.h and training_math.c come before it.
 *
 * Holes. IMAGES, ANCHORS (for each level), CLASSES, MAX_TARGETS. LEVELS, and LEVEL_TABLE: for each {rows, columns, image,
 * row and block stride of x, the same of dx}. ROWS, CELLS: sums of the levels' rows and of their rows x columns.
 * REFERENCE: the level whose balance stays 1. SCRATCH: floats of scratch.
 */

/* @NAME@: @LEVELS@ levels of @ANCHORS@ anchors, @CLASSES@ classes, up to @MAX_TARGETS@ targets in @IMAGES@ images. */

enum { @NAME@_BOX = 5 + @CLASSES@, @NAME@_BLOCKS = (@ANCHORS@ * @NAME@_BOX + BLOCK - 1) / BLOCK };

static const struct {
    int rows, cols;
    ptrdiff_t x_image, x_row, x_block, dx_image, dx_row, dx_block;
} @NAME@_levels[@LEVELS@] = {@LEVEL_TABLE@};

struct @NAME@_scratch {
    double sums[@IMAGES@ * @ROWS@][3];                       /* [level][image][row] box, objectness, classes */
    float wanted[@IMAGES@ * @CELLS@ * @ANCHORS@];            /* [level][image][row][anchor][column] objectness */
    uint8_t cells[@LEVELS@ * @ANCHORS@ * @MAX_TARGETS@];     /* [level][anchor][target] a bit for each answering cell */
};
_Static_assert(sizeof(struct @NAME@_scratch) <= (size_t)@SCRATCH@ * sizeof(float), "the scratch is too small");

/* Whether the rates are finite and in their ranges. */
INLINE int @NAME@_check_rates(const spd_yolo_rates *rates)
{
    const double largest = 3.4028234663852886e38;
    return is_within(rates->box, 0.0, largest) && is_within(rates->objectness, 0.0, largest) &&
           is_within(rates->classes, 0.0, largest) && is_within(rates->anchor_limit, 0.0, largest) &&
           rates->anchor_limit > 0.0 && is_within(rates->focal_gamma, 0.0, largest) &&
           is_within(rates->label_smoothing, 0.0, 1.0) && is_within(rates->objectness_weight, 0.0, largest) &&
           is_within(rates->class_weight, 0.0, largest);
}

/* Before a step: whether the targets fit and make sense. SPD_TARGETS_TOO_MANY, or SPD_TARGETS_INVALID for an image, class
 * or size that cannot be, or SPD_TARGETS_OK. */
INLINE int @NAME@_check(const float *targets, const int count)
{
    if (count > @MAX_TARGETS@) return SPD_TARGETS_TOO_MANY;
    int valid = count >= 0;
    for (int i = 0; i < count; i++) {
        const float *t = targets + (ptrdiff_t)i * 6;
        valid &= t[0] >= 0.0f && t[0] < @IMAGES@.0f && t[1] >= 0.0f && t[1] < @CLASSES@.0f;
        for (int k = 2; k < 6; k++) valid &= is_finite(t[k]);
        valid &= t[4] >= 0.0f && t[5] >= 0.0f;
    }
    return valid ? SPD_TARGETS_OK : SPD_TARGETS_INVALID;
}

/* a b in single precision: rounded before anything is added to it. */
INLINE float @NAME@_scaled(float a, int b) { return (float)((double)a * b); }

/* Whether the centre is in the nearer half of its cell, and another cell there. */
INLINE int @NAME@_near(float x) { return x > 1.0f && x < 8388608.0f && x - (float)(int)x < 0.5f; }

/* Bit i is set if the i-th of: own cell, left, above, right, below answers for the target. */
INLINE int @NAME@_answers(const float *target, const float *anchor, const int rows, const int cols, const float limit)
{
    const float x = @NAME@_scaled(target[2], cols), y = @NAME@_scaled(target[3], rows);
    for (int side = 0; side < 2; side++) {
        const float ratio = @NAME@_scaled(target[4 + side], side ? rows : cols) / anchor[side];
        if (!(ratio < limit && 1.0f / ratio < limit)) return 0;
    }
    return 1 | @NAME@_near(x) << 1 | @NAME@_near(y) << 2 | @NAME@_near((float)cols - x) << 3 |
           @NAME@_near((float)rows - y) << 4;
}

/* The cell that a position along one axis falls into, moved by `by`, within the `count` cells there are. */
INLINE int @NAME@_cell(const float x, const float by, const int count)
{
    const float moved = x + by, last = (float)(count - 1);
    return (int)(moved < 0.0f ? 0.0f : moved > last ? last : moved);
}

/* d max(a, b) / da; equal ones share it. */
INLINE double @NAME@_larger(double a, double b) { return a > b ? 1.0 : a < b ? 0.0 : 0.5; }

/* Complete IoU of boxes p and t, each {centre x, y, width, height}, and its derivatives by p.
 *
 * CIoU = IoU - d^2 / c^2 - a v; d: distance of the centres, c: diagonal of the box around both,
 * v = 4/pi^2 (atan(w_t / h_t) - atan(w_p / h_p))^2, a = v / (v - IoU + 1 + e), which counts as a constant. */
static double @NAME@_ciou(const double p[4], const double t[4], double slope[4])
{
    const double e = 1e-7;
    const double sides[2] = {p[2], p[3] + e}, wanted[2] = {t[2], t[3] + e};
    double overlap[2], around[2], overlap_low[2], overlap_high[2], around_low[2], around_high[2];
    for (int k = 0; k < 2; k++) {
        const double low = p[k] - 0.5 * p[2 + k], high = p[k] + 0.5 * p[2 + k];
        const double t_low = t[k] - 0.5 * t[2 + k], t_high = t[k] + 0.5 * t[2 + k];
        overlap[k] = (high < t_high ? high : t_high) - (low > t_low ? low : t_low);
        around[k] = (high > t_high ? high : t_high) - (low < t_low ? low : t_low);
        const double there = overlap[k] < 0.0 ? 0.0 : 1.0;
        overlap[k] *= there;
        overlap_high[k] = there * @NAME@_larger(t_high, high);
        overlap_low[k] = -there * @NAME@_larger(low, t_low);
        around_high[k] = @NAME@_larger(high, t_high);
        around_low[k] = -@NAME@_larger(t_low, low);
    }
    const double common = overlap[0] * overlap[1];
    const double all = sides[0] * sides[1] + wanted[0] * wanted[1] - common + e;
    const double iou = common / all;
    const double diagonal = around[0] * around[0] + around[1] * around[1] + e;
    const double apart = (t[0] - p[0]) * (t[0] - p[0]) + (t[1] - p[1]) * (t[1] - p[1]);
    const double pi = 3.14159265358979324;
    const double turn = atan_real(wanted[0] / wanted[1]) - atan_real(sides[0] / sides[1]);
    const double v = 4.0 / (pi * pi) * turn * turn, a = v / (v - iou + 1.0 + e);
    const double square = sides[0] * sides[0] + sides[1] * sides[1];
    for (int k = 0; k < 2; k++) {
        const double angle = (k ? -sides[0] : sides[1]) / square; /* d atan(w / h) by this side */
        /* By the centre both edges move as one, by the size each by half and apart. */
        for (int size = 0; size < 2; size++) {
            const double high = size ? 0.5 : 1.0, low = size ? -0.5 : 1.0;
            const double d_common = (overlap_high[k] * high + overlap_low[k] * low) * overlap[!k];
            const double d_all = (size ? sides[!k] : 0.0) - d_common;
            const double d_diagonal = 2.0 * around[k] * (around_high[k] * high + around_low[k] * low);
            const double d_apart = size ? 0.0 : -2.0 * (t[k] - p[k]);
            const double d_v = size ? -8.0 / (pi * pi) * turn * angle : 0.0;
            slope[2 * size + k] = (d_common * all - common * d_all) / (all * all) -
                                  (d_apart * diagonal - apart * d_diagonal) / (diagonal * diagonal) - a * d_v;
        }
    }
    return iou - (apart / diagonal + v * a);
}

/* The box of one match: adds its loss to `sum` and the derivative, times `scale`, to dx. Returns CIoU. x and dx are the
 * cell's channels from block 0 on. */
static double @NAME@_box(const float *x, const ptrdiff_t x_block, float *dx, const ptrdiff_t dx_block, const int channel,
                         const double target[4], const float *anchor, const double scale)
{
    double box[4], by_logit[4], slope[4];
    for (int k = 0; k < 4; k++) {
        const int c = channel + k;
        const double logit = x[c / BLOCK * x_block + c % BLOCK];
        const double e = exp_real(logit < 0.0 ? logit : -logit);
        const double s = (logit < 0.0 ? e : 1.0) / (1.0 + e), rest = (logit < 0.0 ? 1.0 : e) / (1.0 + e);
        box[k] = k < 2 ? 2.0 * s - 0.5 : 4.0 * s * s * anchor[k - 2];
        by_logit[k] = k < 2 ? 2.0 * s * rest : 2.0 * box[k] * rest;
    }
    const double ciou = @NAME@_ciou(box, target, slope);
    for (int k = 0; k < 4; k++) {
        const int c = channel + k;
        dx[c / BLOCK * dx_block + c % BLOCK] -= (float)(scale * slope[k] * by_logit[k]);
    }
    return ciou;
}

/* The classes of one match, likewise. Returns the sum of their cross-entropies. */
static double @NAME@_classes(const float *x, const ptrdiff_t x_block, float *dx, const ptrdiff_t dx_block,
                             const int channel, const int class, const spd_yolo_rates *rates, const double scale)
{
    const float off = (float)(0.5 * rates->label_smoothing), on = (float)(1.0 - 0.5 * rates->label_smoothing);
    double sum = 0.0;
    for (int first = 0; first < @CLASSES@; first += BLOCK) {
        const int count = @CLASSES@ - first < BLOCK ? @CLASSES@ - first : BLOCK;
        _Alignas(64) float loss[BLOCK] = {0}, slope[BLOCK] = {0};
        for (int i = 0; i < count; i++) {
            const int c = channel + first + i;
            loss[i] = x[c / BLOCK * x_block + c % BLOCK];
            slope[i] = first + i == class ? on : off;
        }
        for (int n = 0; n < BLOCK; n += VL)
            binary_cross_entropy((vec *)(void *)(loss + n), (vec *)(void *)(slope + n), (float)rates->class_weight,
                                 (float)rates->focal_gamma);
        for (int i = 0; i < count; i++) {
            const int c = channel + first + i;
            sum += loss[i];
            dx[c / BLOCK * dx_block + c % BLOCK] += (float)(scale * slope[i]);
        }
    }
    return sum;
}

/* The objectness of one anchor in one row: x and dx are the row's logits, 16 apart. Returns the sum of their
 * cross-entropies. */
static double @NAME@_objectness(const float *x, float *dx, const float *wanted, const int cols,
                                const spd_yolo_rates *rates, const double scale)
{
    double sum = 0.0;
    for (int first = 0; first < cols; first += BLOCK) {
        const int count = cols - first < BLOCK ? cols - first : BLOCK;
        _Alignas(64) float loss[BLOCK] = {0}, slope[BLOCK] = {0};
        for (int i = 0; i < count; i++) loss[i] = x[(first + i) * BLOCK], slope[i] = wanted[first + i];
        for (int n = 0; n < BLOCK; n += VL)
            binary_cross_entropy((vec *)(void *)(loss + n), (vec *)(void *)(slope + n), (float)rates->objectness_weight,
                                 (float)rates->focal_gamma);
        for (int i = 0; i < count; i++) sum += loss[i], dx[(first + i) * BLOCK] = (float)(scale * slope[i]);
    }
    return sum;
}

/* The matches of a level, all of them. */
static int @NAME@_matches(const uint8_t *cells, const int count)
{
    int matches = 0;
    for (int a = 0; a < @ANCHORS@; a++)
        for (int i = 0; i < count; i++)
            for (int bits = cells[a * @MAX_TARGETS@ + i]; bits > 0; bits &= bits - 1) matches++;
    return matches;
}

/* One level's rows that are this thread's. sums and wanted are the level's. */
static void @NAME@_level(const int level, const float *x, const float *targets, const int count, const float *anchors,
                         const double balance, const spd_yolo_rates *rates, float *dx, const uint8_t *cells,
                         double (*sums)[3], float *wanted, const int thread, const int threads)
{
    static const float step_x[5] = {0.0f, -0.5f, 0.0f, 0.5f, 0.0f}, step_y[5] = {0.0f, 0.0f, -0.5f, 0.0f, 0.5f};
    const int rows = @NAME@_levels[level].rows, cols = @NAME@_levels[level].cols;
    const ptrdiff_t x_block = @NAME@_levels[level].x_block, dx_block = @NAME@_levels[level].dx_block;
    const int begin = (int)((int64_t)@IMAGES@ * rows * thread / threads);
    const int end = (int)((int64_t)@IMAGES@ * rows * (thread + 1) / threads);
#define ROW_OF(p, unit)                                                                                                  \
    ((p) + (unit) / rows * @NAME@_levels[level].p##_image + (unit) % rows * @NAME@_levels[level].p##_row)

    for (int unit = begin; unit < end; unit++) {
        for (int k = 0; k < 3; k++) sums[unit][k] = 0.0;
        memset(wanted + (ptrdiff_t)unit * @ANCHORS@ * cols, 0, (size_t)(@ANCHORS@ * cols) * sizeof(float));
        for (int block = 0; block < @NAME@_BLOCKS; block++)
            memset(ROW_OF(dx, unit) + block * dx_block, 0, (size_t)(cols * BLOCK) * sizeof(float));
    }

    const int matches = @NAME@_matches(cells, count);
    const double box_scale = rates->box * @IMAGES@ / (matches > 0 ? matches : 1);
    const double class_scale = rates->classes * @IMAGES@ / ((matches > 0 ? matches : 1) * (double)@CLASSES@);
    for (int step = 0; step < 5; step++)
        for (int a = 0; a < @ANCHORS@; a++)
            for (int i = 0; i < count; i++) {
                if (!(cells[a * @MAX_TARGETS@ + i] >> step & 1)) continue;
                const float *target = targets + (ptrdiff_t)i * 6;
                const float x_centre = @NAME@_scaled(target[2], cols), y_centre = @NAME@_scaled(target[3], rows);
                const int row = @NAME@_cell(y_centre, step_y[step], rows), unit = (int)target[0] * rows + row;
                if (unit < begin || unit >= end) continue;
                const int col = @NAME@_cell(x_centre, step_x[step], cols), channel = a * @NAME@_BOX;
                const double box[4] = {x_centre - (double)col, y_centre - (double)row,
                                       @NAME@_scaled(target[4], cols), @NAME@_scaled(target[5], rows)};
                const float *from = ROW_OF(x, unit) + col * BLOCK;
                float *to = ROW_OF(dx, unit) + col * BLOCK;
                const double ciou = @NAME@_box(from, x_block, to, dx_block, channel, box, anchors + a * 2, box_scale);
                sums[unit][0] += 1.0 - ciou;
                wanted[((ptrdiff_t)unit * @ANCHORS@ + a) * cols + col] = ciou < 0.0 ? 0.0f : (float)ciou;
                if (@CLASSES@ > 1)
                    sums[unit][2] += @NAME@_classes(from, x_block, to, dx_block, channel + 5, (int)target[1], rates,
                                                    class_scale);
            }

    const double scale = rates->objectness * @IMAGES@ * balance / ((double)@IMAGES@ * @ANCHORS@ * rows * cols);
    for (int unit = begin; unit < end; unit++)
        for (int a = 0; a < @ANCHORS@; a++) {
            const int block = (a * @NAME@_BOX + 4) / BLOCK, lane = (a * @NAME@_BOX + 4) % BLOCK;
            sums[unit][1] += @NAME@_objectness(ROW_OF(x, unit) + block * x_block + lane,
                                               ROW_OF(dx, unit) + block * dx_block + lane,
                                               wanted + ((ptrdiff_t)unit * @ANCHORS@ + a) * cols, cols, rates, scale);
        }
#undef ROW_OF
}

/* From the sums of all rows to losses and balances. */
static void @NAME@_sum(const struct @NAME@_scratch *s, const int count, float *balances, const spd_yolo_rates *rates,
                       float *losses)
{
    double box = 0.0, objectness = 0.0, classes = 0.0, means[@LEVELS@];
    for (int level = 0, unit = 0; level < @LEVELS@; level++) {
        const int rows = @NAME@_levels[level].rows, cols = @NAME@_levels[level].cols, end = unit + @IMAGES@ * rows;
        const int matches = @NAME@_matches(s->cells + level * @ANCHORS@ * @MAX_TARGETS@, count);
        double sums[3] = {0};
        for (; unit < end; unit++)
            for (int k = 0; k < 3; k++) sums[k] += s->sums[unit][k];
        const double mean = sums[1] / ((double)@IMAGES@ * @ANCHORS@ * rows * cols);
        box += matches > 0 ? sums[0] / matches : 0.0;
        objectness += mean * balances[level];
        classes += matches > 0 ? sums[2] / (matches * (double)@CLASSES@) : 0.0;
        means[level] = mean;
    }
    losses[1] = (float)(box * rates->box);
    losses[2] = (float)(objectness * rates->objectness);
    losses[3] = (float)(classes * rates->classes);
    losses[0] = (float)((box * rates->box + objectness * rates->objectness + classes * rates->classes) * @IMAGES@);
    /* A loss that is not finite moves nothing. */
    if (rates->autobalance && is_finite(losses[0])) {
        for (int level = 0; level < @LEVELS@; level++)
            balances[level] = (float)(balances[level] * 0.9999 + 0.0001 / means[level]);
        const float reference = balances[@REFERENCE@];
        for (int level = 0; level < @LEVELS@; level++) balances[level] /= reference;
    }
}

OUTLINE void @NAME@(const float *const x[], const float *targets, const int count, const float *anchors, float *balances,
                    const spd_yolo_rates *rates, float *const dx[], float *losses, void *scratch, int thread, int threads)
{
    struct @NAME@_scratch *s = scratch;
    const int64_t tests = (int64_t)@LEVELS@ * @ANCHORS@ * count;
    for (int64_t test = tests * thread / threads; test < tests * (thread + 1) / threads; test++) {
        const int i = (int)(test % count), row = (int)(test / count), level = row / @ANCHORS@; /* row: level and anchor */
        s->cells[row * @MAX_TARGETS@ + i] =
            (uint8_t)@NAME@_answers(targets + (ptrdiff_t)i * 6, anchors + row * 2, @NAME@_levels[level].rows,
                                    @NAME@_levels[level].cols, (float)rates->anchor_limit);
    }
    BARRIER
    ptrdiff_t unit = 0, place = 0;
    for (int level = 0; level < @LEVELS@; level++) {
        const ptrdiff_t rows = @NAME@_levels[level].rows, cols = @NAME@_levels[level].cols;
        @NAME@_level(level, x[level], targets, count, anchors + level * @ANCHORS@ * 2, balances[level], rates, dx[level],
                     s->cells + level * @ANCHORS@ * @MAX_TARGETS@, s->sums + unit, s->wanted + place, thread, threads);
        unit += @IMAGES@ * rows;
        place += @IMAGES@ * rows * cols * @ANCHORS@;
    }
    BARRIER
    if (thread == 0) @NAME@_sum(s, count, balances, rates, losses);
}
