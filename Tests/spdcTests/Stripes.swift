import Foundation
import SPDVision

/// A small data set that anybody can tell apart: stripes of one direction and colour per class, with noise.
enum Stripes {
  static let classes = ["across", "down", "plain"]

  /// Writes `folder/train/CLASS/N.png` and `folder/val/CLASS/N.png`.
  ///
  /// - Parameter width: of the images, whose height is 32; the network's input may be another size.
  static func write(to folder: String, training: Int = 12, validation: Int = 4, width: Int = 32) throws {
    for (label, name) in classes.enumerated() {
      for index in 0..<training + validation {
        let path = "\(folder)/\(index < training ? "train" : "val")/\(name)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try image(label, index, width: width).write(to: "\(path)/\(index).png")
      }
    }
  }

  private static func image(_ label: Int, _ index: Int, width: Int) -> Image {
    let height = 32
    var pixels: [UInt8] = []
    var noise = UInt32(truncatingIfNeeded: 7 + 131 * index + 9973 * label)
    for row in 0..<height {
      for column in 0..<width {
        let isDark = label == 0 ? row / 4 % 2 == 0 : label == 1 ? column / 4 % 2 == 0 : false
        for channel in 0..<3 {
          noise = noise &* 1_664_525 &+ 1_013_904_223
          let level = (isDark ? 40 : 170) + (channel == label ? 30 : 0) + Int(noise >> 27)
          pixels.append(UInt8(level))
        }
      }
    }
    return Image(width: width, height: height, pixels: pixels)
  }
}
