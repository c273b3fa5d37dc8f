/// Converts images to the input of a detection network: N×3×H×W floats, channels R, G, B, each byte divided by 255.
///
/// - Precondition: all images are valid and have the same size.
public func planar(_ images: [Image]) -> [Float] {
  planes(images) { _, byte in Float(byte) / 255 }
}

/// How a classification network's input is normalised: each byte times `scale`, minus the channel's mean, divided by
/// the channel's standard deviation.
public struct Normalisation: Sendable, Equatable {
  /// 1 where mean and deviation are on the scale 0...255, 1/255 where they are on the scale 0...1.
  public var scale: Double
  /// Per channel: R, G, B.
  public var mean, std: SIMD3<Float>

  public init(mean: SIMD3<Float>, std: SIMD3<Float>, scale: Double) {
    self.mean = mean
    self.std = std
    self.scale = scale
  }
}

/// Converts images to the input of a classification network: N×3×H×W floats, channels R, G, B,
/// `(byte * scale - mean[channel]) / std[channel]`.
///
/// - Precondition: all images are valid and have the same size.
public func normalised(
  _ images: [Image], mean: SIMD3<Float>, std: SIMD3<Float>, scale: Double
) -> [Float] {
  planes(images) { channel, byte in (Float(Double(byte) * scale) - mean[channel]) / std[channel] }
}

/// Normalises with one of the presets or with a normalisation of your own.
public func normalised(_ images: [Image], _ normalisation: Normalisation) -> [Float] {
  normalised(images, mean: normalisation.mean, std: normalisation.std, scale: normalisation.scale)
}

/// Converts interleaved bytes to planes of floats. There are only 3 * 256 different values, so `value` is called once
/// for each.
private func planes(_ images: [Image], value: (_ channel: Int, _ byte: UInt8) -> Float) -> [Float] {
  guard let first = images.first else { return [] }
  for image in images {
    image.requireValid()
    precondition(
      image.width == first.width && image.height == first.height,
      "a batch has one size: \(image.width)×\(image.height) beside \(first.width)×\(first.height)")
  }
  let table = (0..<3).map { channel in (0...255).map { value(channel, UInt8($0)) } }
  let area = first.width * first.height
  return [Float](unsafeUninitializedCapacity: images.count * 3 * area) { target, count in
    for (index, image) in images.enumerated() {
      image.pixels.withUnsafeBufferPointer { pixels in
        for channel in 0..<3 {
          let plane = target.baseAddress! + (index * 3 + channel) * area
          table[channel].withUnsafeBufferPointer { table in
            for pixel in 0..<area { plane[pixel] = table[Int(pixels[pixel * 3 + channel])] }
          }
        }
      }
    }
    count = images.count * 3 * area
  }
}
