import Foundation
import Testing

/// Generated C on processors without an operating system, as far as a compiler can tell.
@Suite struct FreestandingTests {
  /// It needs no header but the compiler's own and `string.h`, and calls nothing but `memcpy` and `memset`.
  @Test(arguments: [
    ["--target=armv7em-none-eabi", "-mcpu=cortex-m7", "-mfloat-abi=hard"], ["--target=wasm32"],
  ])
  func scalarCodeCompiles(_ target: [String]) async throws {
    let clang = ["/usr/bin/clang", "/usr/local/bin/clang"].first { FileManager.default.isExecutableFile(atPath: $0) }
    guard let clang else { try Test.cancel("there is no clang, which compiles for other processors as it is") }
    let scratch = try Scratch()
    let written = try await spdc("compile", Place.tiny, "--target", "scalar", "--emit", "c", "-o", scratch("tiny"))
    #expect(written.code == 0, "\(written.errors)")
    try FileManager.default.createDirectory(atPath: scratch("include"), withIntermediateDirectories: true)
    _ = try scratch.write(
      """
      #include <stddef.h>
      void *memcpy(void *, const void *, size_t);
      void *memset(void *, int, size_t);

      """, "include/string.h")
    let flags = ["-ffreestanding", "-std=c17", "-O1", "-Wall", "-Wextra", "-Werror", "-Wimplicit-function-declaration"]
    let compiled = try await spdc(
      arguments: target + flags + [
        "-nostdlibinc", "-I", scratch("include"), "-I", scratch("tiny/include"), "-c", scratch("tiny/tiny_spd.c"), "-o",
        scratch("tiny.o"),
      ], executable: clang)
    #expect(compiled.code == 0, "\(compiled.errors)")
  }
}
