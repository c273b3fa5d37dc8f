/* ---- convolutions: a layer is a constant that says what is read, what is written and how it is cut ------------- */

/* What a layer reads: `count` views of the same shape, one after the other, such as the phases of a space-to-depth, each of `blocks`
 * blocks of 16 inputs. at[i] is where output (image 0, row 0, column 0) reads its first tap of the first block of view i, in floats from
 * the start of the arena. The rest are steps in floats: from image to image, row to row and column to column of the output, from tap row to
 * tap row and tap column to tap column, and from block to block; in nearest upsampling, each row and column serves `repeat` of the output. */
typedef struct {
    const ptrdiff_t *at;
    int count, blocks;
    ptrdiff_t image, row, col, tap_row, tap_col, block;
    int repeat;
} source;

/* A tensor that a layer writes, adds or starts from: its first pixel, and the steps from image to image, row to row, column to
 * column and block to block of 16 channels. */
typedef struct { ptrdiff_t at, image, row, col, block; } place;
