/* @ROWS@ x @COLS@ pixels by @STRIP@ blocks of outputs, @TEXT@. */
OUTLINE void @NAME@(const direct *c, direct_tile *t, const int tiles) { direct_tiles(c, t, tiles, @ROWS@, @COLS@, @STRIP@, @LITERALS@); }
