/* Computes the products of one element; see the functions above. */
typedef void winograd_product(const float *restrict v, const float *restrict u, float *restrict m, int blocks, const float *next, int lines);

/* The one for `tiles` tiles and `blocks` blocks of outputs; NULL where no group has that size. */
static winograd_product *winograd_product_of(const int tiles, const int blocks)
{
    switch (tiles * 64 + blocks) {
    @PRODUCTS@
    default: return NULL;
    }
}
