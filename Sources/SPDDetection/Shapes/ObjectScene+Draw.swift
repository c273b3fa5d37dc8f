import SPD
import SPDVision

extension ObjectScene {
  /// Rows of samples per pixel; along a row, coverage is exact.
  private static let rows = 8

  /// Draws the scene, with noise in every pixel.
  func drawn(using random: inout SplitMix64) -> Image {
    var canvas = background.pixels(side: side)
    for distractor in distractors { fill(distractor.corners, distractor.colour, distractor.opacity, &canvas) }
    for object in objects { fill(object.corners, object.colour, 1, &canvas) }
    let pixels = [UInt8](unsafeUninitializedCapacity: side * side * 3) { target, filled in
      for (index, value) in canvas.enumerated() {
        for channel in 0..<3 {
          let noisy = value[channel] + noise * Self.normal(&random)
          target[index * 3 + channel] = UInt8((min(max(noisy, 0), 1) * 255).rounded())
        }
      }
      filled = side * side * 3
    }
    return Image(width: side, height: side, pixels: pixels)
  }

  /// Blends a polygon's colour into every pixel in proportion to the part of it that the polygon covers.
  private func fill(_ corners: [SIMD2<Double>], _ colour: Colour, _ opacity: Double, _ canvas: inout [Colour]) {
    let bounds = Self.bounds(corners)
    let first = max(Int(bounds.y.rounded(.down)), 0)
    let last = min(Int(bounds.w.rounded(.up)), side)
    guard first < last else { return }
    var cover = [Double](repeating: 0, count: side)
    for y in first..<last {
      for index in cover.indices { cover[index] = 0 }
      for row in 0..<Self.rows {
        let height = Double(y) + (Double(row) + 0.5) / Double(Self.rows)
        let crossings = Self.crossings(corners, height)
        for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
          addSpan(crossings[pair], crossings[pair + 1], &cover)
        }
      }
      for x in 0..<side where cover[x] > 0 {
        let at = y * side + x
        canvas[at] += (colour - canvas[at]) * (opacity * cover[x] / Double(Self.rows))
      }
    }
  }

  /// Where a horizontal line enters and leaves a polygon, from left to right.
  private static func crossings(_ corners: [SIMD2<Double>], _ y: Double) -> [Double] {
    var result: [Double] = []
    var previous = corners[corners.count - 1]
    for corner in corners {
      if (previous.y <= y) != (corner.y <= y) {
        result.append(previous.x + (y - previous.y) / (corner.y - previous.y) * (corner.x - previous.x))
      }
      previous = corner
    }
    return result.sorted()
  }

  /// Adds a span of a row of samples to the pixels that it touches.
  private func addSpan(_ from: Double, _ to: Double, _ cover: inout [Double]) {
    let left = min(max(from, 0), Double(side))
    let right = min(max(to, 0), Double(side))
    var x = Int(left)
    while x < side, Double(x) < right {
      cover[x] += min(right, Double(x + 1)) - max(left, Double(x))
      x += 1
    }
  }

  /// A nearly normal number of mean 0 and deviation 1: the sum of four uniform ones, the same on every machine.
  private static func normal(_ random: inout SplitMix64) -> Double {
    let bits = random.next()
    let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + bits >> 48
    // Four numbers in [0, 1) have mean 2 and variance 1/3.
    return (Double(sum) / 65_536 - 2) * 1.732_050_807_568_877_2
  }
}
