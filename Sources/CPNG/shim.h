// libpng reports errors with longjmp, which must not cross Swift frames. These few functions keep setjmp and longjmp
// inside C: each returns 1, or 0 with a message in the reader. libpng's own setjmp-free interface (png_image_*) cannot
// take their place for reading: it converts gamma and blends alpha, and we want the stored samples.
#ifndef SPD_CPNG_SHIM_H
#define SPD_CPNG_SHIM_H

#include <png.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  png_structp png;
  png_infop info;
  const uint8_t *bytes;  // the whole file; must outlive the reader
  size_t count, position;
  uint32_t width, height;
  char message[160];
} cpng_reader;

static inline void cpng_failed(png_structp png, png_const_charp message) {
  cpng_reader *reader = (cpng_reader *)png_get_error_ptr(png);
  snprintf(reader->message, sizeof reader->message, "%s", message);
  longjmp(png_jmpbuf(png), 1);
}

// Warnings concern ancillary chunks, which do not touch the pixels.
static inline void cpng_warned(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static inline void cpng_take(png_structp png, png_bytep into, size_t count) {
  cpng_reader *reader = (cpng_reader *)png_get_io_ptr(png);
  if (count > reader->count - reader->position) png_error(png, "unexpected end of file");
  memcpy(into, reader->bytes + reader->position, count);
  reader->position += count;
}

// Reads everything up to the pixels and asks for 8-bit RGB: palette and grey expanded, the low byte of 16-bit samples
// and the alpha channel dropped.
static inline __attribute__((noinline)) int cpng_open(cpng_reader *reader, const uint8_t *bytes, size_t count) {
  memset(reader, 0, sizeof *reader);
  reader->bytes = bytes;
  reader->count = count;
  reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, cpng_failed, cpng_warned);
  if (!reader->png) return 0;
  if (setjmp(png_jmpbuf(reader->png))) return 0;
  reader->info = png_create_info_struct(reader->png);
  if (!reader->info) png_error(reader->png, "out of memory");
  png_set_user_limits(reader->png, 0x7fffffff, 0x7fffffff);  // the caller limits width * height
  png_set_read_fn(reader->png, reader, cpng_take);
  png_read_info(reader->png, reader->info);

  reader->width = png_get_image_width(reader->png, reader->info);
  reader->height = png_get_image_height(reader->png, reader->info);
  int colour = png_get_color_type(reader->png, reader->info);
  int depth = png_get_bit_depth(reader->png, reader->info);
  if (depth == 16) png_set_strip_16(reader->png);
  if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(reader->png);
  if (colour == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(reader->png);
  if (!(colour & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(reader->png);
  png_set_strip_alpha(reader->png);
  return 1;
}

// Fills width * height * 3 bytes and reads on to the end of the file, so that a missing tail is noticed.
static inline __attribute__((noinline)) int cpng_read(cpng_reader *reader, uint8_t *pixels) {
  if (setjmp(png_jmpbuf(reader->png))) return 0;
  int passes = png_set_interlace_handling(reader->png);
  png_read_update_info(reader->png, reader->info);
  size_t stride = png_get_rowbytes(reader->png, reader->info);
  if (stride != (size_t)reader->width * 3) png_error(reader->png, "unexpected pixel layout");
  for (int pass = 0; pass < passes; pass++)
    for (uint32_t y = 0; y < reader->height; y++) png_read_row(reader->png, pixels + y * stride, NULL);
  png_read_end(reader->png, reader->info);
  return 1;
}

// The Exif block, or NULL; valid until the reader is closed. It may follow the pixels: ask after cpng_read.
static inline const uint8_t *cpng_exif(cpng_reader *reader, uint32_t *count) {
  png_bytep exif = NULL;
  *count = 0;
  if (!png_get_eXIf_1(reader->png, reader->info, count, &exif)) return NULL;
  return exif;
}

static inline void cpng_close(cpng_reader *reader) {
  png_destroy_read_struct(&reader->png, &reader->info, NULL);
}

// The message is a C array, which Swift sees as a tuple.
static inline const char *cpng_message(const cpng_reader *reader) { return reader->message; }

#endif
