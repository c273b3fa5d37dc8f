import SPD
import SPDVision

/// The random choices of copy-paste: instances of an image are pasted into it once more, mirrored.
struct CopyPastePlan: Sendable, Equatable {
  /// Fraction of the instances with outlines that are tried.
  var fraction: Double
  /// Seed of the choice, which needs the number of instances.
  var seed: UInt64

  /// Chooses round(fraction·count) of `count` instances.
  func chosen(of count: Int) -> [Int] {
    var random = SplitMix64(seed: seed)
    let wanted = Int((fraction * Double(count)).rounded(.toNearestOrEven))
    return random.permutation(count).prefix(wanted).map(Int.init)
  }

  func apply(to sample: AugmentedSample) -> AugmentedSample {
    let withOutline = sample.objects.indices.filter { sample.objects[$0].polygon.count > 1 }
    return Self.paste(chosen(of: withOutline.count).map { withOutline[$0] }, of: sample)
  }

  /// Pastes some instances, in this order. One is refused if its mirrored box covers 30 % or more of any object, pasted
  /// ones included. Values above 0 of the instances' filled outlines overwrite the mirrored place, channel by channel.
  ///
  /// - Precondition: the instances have outlines.
  static func paste(_ instances: [Int], of sample: AugmentedSample) -> AugmentedSample {
    var result = sample
    let (width, height) = (sample.image.width, sample.image.height)
    var mask = PolygonMask(width: width, height: height)
    for instance in instances {
      let object = sample.objects[instance]
      let side = Double(width)
      let box = SIMD4(side - object.box.z, object.box.y, side - object.box.x, object.box.w)
      guard result.objects.allSatisfy({ coverage(of: $0.box, by: box) < 0.3 }) else { continue }
      let outline = object.polygon.map { SIMD2(side - $0.x, $0.y) }
      result.objects.append(PixelObject(classIndex: object.classIndex, box: box, polygon: outline))
      mask.fill(object.polygon)
    }
    guard result.objects.count > sample.objects.count else { return sample }
    result.image.pixels.withUnsafeMutableBufferPointer { target in
      for y in 0..<height {
        for x in 0..<width where mask[x, y] {
          for channel in 0..<3 {
            let value = sample.image.pixels[(y * width + x) * 3 + channel]
            if value > 0 { target[(y * width + width - 1 - x) * 3 + channel] = value }
          }
        }
      }
    }
    return result
  }
}

/// The fraction of a box's area that another box covers.
func coverage(of box: SIMD4<Double>, by other: SIMD4<Double>) -> Double {
  let overlap = pointwiseMin(box.highHalf, other.highHalf) - pointwiseMax(box.lowHalf, other.lowHalf)
  let sides = box.highHalf - box.lowHalf
  return max(overlap.x, 0) * max(overlap.y, 0) / (sides.x * sides.y + 1e-16)
}
