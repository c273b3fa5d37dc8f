import Foundation
import SPDVision

extension Image {
  /// Rotates anticlockwise about the centre by `degrees`, keeping the size, nearest neighbour, black outside: pixel for
  /// pixel as Pillow's `rotate` does, which torchvision's `RandomRotation` calls.
  ///
  /// Pillow steps through the source in units of 2⁻¹⁶ of a pixel.
  func rotated(degrees: Double) -> Image {
    let radians = -degrees * .pi / 180
    func rounded(_ value: Double) -> Double { (value * 1e15).rounded(.toNearestOrEven) / 1e15 }
    let cosine = rounded(cos(radians))
    let sine = rounded(sin(radians))
    let (centreX, centreY) = (Double(width) / 2, Double(height) / 2)
    // The source of the top left corner.
    let offsetX = -cosine * centreX - sine * centreY + centreX
    let offsetY = sine * centreX - cosine * centreY + centreY

    func fixed(_ value: Double) -> Int { Int((value * 65_536 + 0.5).rounded(.down)) }
    let (alongX, alongY) = (fixed(cosine), fixed(sine))
    let startX = fixed(offsetX + cosine * 0.5 + sine * 0.5)
    let startY = fixed(offsetY - sine * 0.5 + cosine * 0.5)
    let acrossY = fixed(-sine)
    return rearranged { source, target in
      for y in 0..<height {
        var fromX = startX + y * alongY
        var fromY = startY + y * alongX
        for x in 0..<width {
          let (column, row) = (fromX >> 16, fromY >> 16)
          if column >= 0 && column < width && row >= 0 && row < height {
            copyPixel(source, column + row * width, target, x + y * width)
          } else {
            (target + (x + y * width) * 3).update(repeating: 0, count: 3)
          }
          fromX += alongX
          fromY += acrossY
        }
      }
    }
  }
}
