/* @NAME@: YOLOv5's boxes from levels that went through the sigmoid: s -> rows of (5 + classes) numbers.
 *
 * x = (2 s0 - 1/2 + column) S, y = (2 s1 - 1/2 + row) S, w = (2 s2)^2 A_w, h = (2 s3)^2 A_h, then objectness and classes.
 * S is the level's stride and A its anchor, both in pixels. Rows are level-major, then anchor, row, column.
 */
OUTLINE void @NAME@(const float *const x[], const float *restrict anchors, float *restrict y, int thread, int threads)
{
    enum { PER_BOX = 5 + @CLASSES@, BOXES = @BOXES@ };

/* Level `level`: rows x cols cells, its boxes from number `first` on. */
#define LEVEL(level, first, rows, cols, stride, x_image, x_row, x_block)                                                 \
    for (int unit = (int)((int64_t)@IMAGES@ * rows * thread / threads);                                                      \
         unit < (int)((int64_t)@IMAGES@ * rows * (thread + 1) / threads); unit++) {                                          \
        const int row = unit % rows, image = unit / rows;                                                                \
        for (int a = 0; a < @ANCHORS@; a++) {                                                                            \
            float *box = y + ((ptrdiff_t)image * BOXES + first + ((ptrdiff_t)a * rows + row) * cols) * PER_BOX;          \
            const float *anchor = anchors + (level * @ANCHORS@ + a) * 2;                                                 \
            const float *cell = x[level] + image * (ptrdiff_t)(x_image) + row * (ptrdiff_t)(x_row);                      \
            for (int col = 0; col < cols; col++, box += PER_BOX, cell += BLOCK) {                                        \
                /* Memory is the limit: fetch what will be written before the stores wait for it. */                     \
                for (int k = 0; k < PER_BOX; k += BLOCK)                                                                 \
                    PREFETCH_STORE((void *)((uintptr_t)box + (size_t)(16 * PER_BOX + k) * sizeof(float)));               \
                /* Runs of channels that lie together, most of them whole blocks. */                                     \
                for (int k = 0; k < PER_BOX;) {                                                                          \
                    const int channel = a * PER_BOX + k, lane = channel % BLOCK;                                         \
                    const int run = BLOCK - lane < PER_BOX - k ? BLOCK - lane : PER_BOX - k;                             \
                    const float *from = cell + channel / BLOCK * (ptrdiff_t)(x_block) + lane;                            \
                    if (run == BLOCK) {                                                                                  \
                        memcpy(box + k, from, BLOCK * sizeof(float));                                                    \
                    } else {                                                                                             \
                        for (int i = 0; i < run; i++) box[k + i] = from[i];                                              \
                    }                                                                                                    \
                    k += run;                                                                                            \
                }                                                                                                        \
                box[0] = (box[0] * 2.0f - 0.5f + (float)col) * stride##.0f;                                              \
                box[1] = (box[1] * 2.0f - 0.5f + (float)row) * stride##.0f;                                              \
                box[2] = (box[2] * 2.0f) * (box[2] * 2.0f) * anchor[0];                                                  \
                box[3] = (box[3] * 2.0f) * (box[3] * 2.0f) * anchor[1];                                                  \
            }                                                                                                            \
        }                                                                                                                \
    }
    @LEVELS@
#undef LEVEL
}
