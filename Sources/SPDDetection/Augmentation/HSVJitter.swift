import SPD
import SPDVision

/// The random choices of a change of colours: a factor for each of hue, saturation and value.
struct HSVJitter: Sendable, Equatable {
  var hue, saturation, value: Double

  init(hue: Double, saturation: Double, value: Double) {
    self.hue = hue
    self.saturation = saturation
    self.value = value
  }

  /// Draws each factor from 1 ± its gain.
  init(_ parameters: DetectionHyperparameters, random: inout SplitMix64) {
    hue = 1 + random.uniform(-1, 1) * parameters.hsvH
    saturation = 1 + random.uniform(-1, 1) * parameters.hsvS
    value = 1 + random.uniform(-1, 1) * parameters.hsvV
  }

  /// Changes the colours through lookup tables of the 8-bit HSV image: hue i becomes trunc((i·factor) mod 180),
  /// saturation and value trunc(clip(i·factor, 0, 255)).
  func apply(to image: inout Image) {
    guard hue != 1 || saturation != 1 || value != 1 else { return }
    let hues = (0...255).map { index in
      HSV.sextants[Int((Double(index) * hue).truncatingRemainder(dividingBy: 180))]
    }
    func levels(_ factor: Double) -> [Float] {
      (0...255).map { Float(Int(min(max(Double($0) * factor, 0), 255))) * (1 / Float(255)) }
    }
    let (saturations, values) = (levels(saturation), levels(value))
    let count = image.pixels.count
    image.pixels.withUnsafeMutableBufferPointer { pixels in
      HSV.saturationFactors.withUnsafeBufferPointer { saturationFactors in
        HSV.hueFactors.withUnsafeBufferPointer { hueFactors in
          hues.withUnsafeBufferPointer { hues in
            saturations.withUnsafeBufferPointer { saturations in
              values.withUnsafeBufferPointer { values in
                var pixel = pixels.baseAddress!
                let end = pixel + count
                while pixel < end {
                  let hsv = HSV.from(
                    Int32(pixel[0]), Int32(pixel[1]), Int32(pixel[2]), saturationFactors.baseAddress!,
                    hueFactors.baseAddress!)
                  let sextant = hues[hsv.hue]
                  (pixel[0], pixel[1], pixel[2]) = HSV.rgb(
                    sextant: sextant.number, fraction: sextant.fraction, saturation: saturations[hsv.saturation],
                    value: values[hsv.value])
                  pixel += 3
                }
              }
            }
          }
        }
      }
    }
  }
}
