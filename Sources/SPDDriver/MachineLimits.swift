import Foundation
import SPDCompiler
import SPDRuntime

/// FMA peak and memory bandwidth of this machine, measured by a small C module.
package struct MachineLimits {
  private let multiply: @convention(c) (Int64, Int32, UnsafeMutablePointer<Float>) -> Int64
  private let read: @convention(c) (UnsafePointer<Float>, Int64, Int32, UnsafeMutablePointer<Float>) -> Void

  /// Copies memory until it is told to stop; see `MemoryNeighbour`.
  let copy: MemoryNeighbour.Copy

  package init(_ builder: Builder) async throws {
    let source = try builder.templates.fill("peak", ["VL": "\(builder.target.lanes)"])
    let library = try await builder.library(source: source, name: "peak")
    guard let handle = dlopen(library, RTLD_NOW | RTLD_LOCAL), let multiply = dlsym(handle, "spdc_peak_multiply"),
      let read = dlsym(handle, "spdc_peak_read"), let copy = dlsym(handle, "spdc_peak_copy")
    else {
      throw Failure(.software, "internal error: the peak measurement does not load: \(String(cString: dlerror()))")
    }
    self.multiply = unsafeBitCast(multiply, to: type(of: self.multiply))
    self.read = unsafeBitCast(read, to: type(of: self.read))
    self.copy = unsafeBitCast(copy, to: type(of: self.copy))
  }

  /// Measures FMA peak in GFLOP/s and read bandwidth in GB/s over all threads, each as the best of several short runs: 50, and
  /// 5, or what fits into half a second.
  package func measure(threads: Int) -> (gflops: Double, gigabytes: Double) {
    let clock = ContinuousClock()
    var sink: Float = 0
    var gflops = 0.0
    var end = clock.now + .milliseconds(500)
    for round in 0..<50 where round == 0 || clock.now < end {
      let start = clock.now
      let flops = multiply(200_000, Int32(threads), &sink)
      gflops = max(gflops, Double(flops) / (clock.now - start).seconds / 1e9)
    }
    let count = 64 << 20
    guard let buffer = try? AlignedBuffer(byteCount: 4 * count) else { return (gflops, 0) }
    let floats = buffer.base.assumingMemoryBound(to: Float.self)
    // Touches each page, so that none is the page of zeros; about 0.75.
    memset(floats, 0x3f, 4 * count)
    var gigabytes = 0.0
    end = clock.now + .milliseconds(500)
    for round in 0..<5 where round == 0 || clock.now < end {
      let start = clock.now
      read(floats, Int64(count), Int32(threads), &sink)
      gigabytes = max(gigabytes, Double(4 * count) / (clock.now - start).seconds / 1e9)
    }
    return (gflops, gigabytes)
  }
}
