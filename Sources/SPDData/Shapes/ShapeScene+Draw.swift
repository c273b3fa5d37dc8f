import Foundation
import SPD
import SPDVision

extension ShapeScene {
  /// Samples per pixel and direction: a pixel is the mean over its area, so detail smaller than a pixel is truly
  /// lost.
  private static let points = 4

  /// Draws the scene at a resolution, with per-pixel noise.
  func drawn(side: Int, using random: inout SplitMix64) -> Image {
    var canvas = backgroundPixels(side)
    for element in elements { Self.draw(element, on: &canvas, side) }
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

  private func backgroundPixels(_ side: Int) -> [Colour] {
    var canvas = [Colour](repeating: background, count: side * side)
    for wave in waves {
      for y in 0..<side {
        for x in 0..<side {
          let phase = (wave.alongX * (Double(x) + 0.5) + wave.alongY * (Double(y) + 0.5)) / Double(side) + wave.phase
          canvas[y * side + x] += wave.amplitude * sin(phase)
        }
      }
    }
    return canvas
  }

  private static func draw(_ element: Element, on canvas: inout [Colour], _ side: Int) {
    let scale = Double(side)
    // The corners of a rectangle of the two radii are this far away.
    let reach = (element.radiusX * element.radiusX + element.radiusY * element.radiusY).squareRoot()
    func pixels(_ centre: Double) -> Range<Int> {
      let first = max(Int(((centre - reach) * scale).rounded(.down)), 0)
      let last = min(Int(((centre + reach) * scale).rounded(.up)), side)
      return first..<max(first, last)
    }
    let (cosine, sine) = (cos(element.angle), sin(element.angle))
    let step = 1 / Double(points)
    for y in pixels(element.centreY) {
      for x in pixels(element.centreX) {
        var covered = 0
        for j in 0..<points {
          let dy = (Double(y) + (Double(j) + 0.5) * step) / scale - element.centreY
          for i in 0..<points {
            let dx = (Double(x) + (Double(i) + 0.5) * step) / scale - element.centreX
            let u = (cosine * dx + sine * dy) / element.radiusX
            let v = (cosine * dy - sine * dx) / element.radiusY
            if element.contains(u, v) { covered += 1 }
          }
        }
        let cover = Double(covered) * step * step
        canvas[y * side + x] += (element.colour - canvas[y * side + x]) * cover
      }
    }
  }

  /// A nearly normal number of mean 0 and deviation 1: the sum of four uniform ones. It uses only additions and
  /// multiplications, so it is the same on every machine.
  private static func normal(_ random: inout SplitMix64) -> Double {
    let bits = random.next()
    let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + bits >> 48
    // Four numbers in [0, 1) have mean 2 and variance 1/3.
    return (Double(sum) / 65_536 - 2) * 1.732_050_807_568_877_2
  }
}
