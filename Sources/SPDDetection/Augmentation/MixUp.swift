import Foundation
import SPD
import SPDVision

/// Blends two samples of one size: each byte is trunc(ratio·a + (1 − ratio)·b), and the objects of both remain.
///
/// - Precondition: the images have one size.
func mixUp(_ first: AugmentedSample, _ second: AugmentedSample, ratio: Double) -> AugmentedSample {
  precondition(
    first.image.width == second.image.width && first.image.height == second.image.height, "a mix-up has one size")
  var mixed = first
  // There are only 256 different values of each product.
  let own = (0...255).map { Double($0) * ratio }
  let other = (0...255).map { Double($0) * (1 - ratio) }
  mixed.image.pixels.withUnsafeMutableBufferPointer { pixels in
    second.image.pixels.withUnsafeBufferPointer { others in
      for i in pixels.indices { pixels[i] = UInt8(own[Int(pixels[i])] + other[Int(others[i])]) }
    }
  }
  mixed.objects += second.objects
  return mixed
}

extension SplitMix64 {
  /// Draws from Beta(n, n): for a whole shape, a gamma variate is a sum of n exponential ones.
  mutating func beta(_ shape: Int) -> Double {
    func gamma() -> Double { (0..<shape).reduce(0) { sum, _ in sum - log(1 - uniform()) } }
    let (first, second) = (gamma(), gamma())
    return first / (first + second)
  }
}
