import SPDVision

/// Grey images from IDX files, the format of MNIST and Fashion-MNIST, in memory.
///
/// An image has three equal channels. It can be reduced by averaging squares of pixels, and is then padded with zeros,
/// evenly on opposite sides, until its sides are multiples of 8: 28×28 becomes 32×32, and reduced to 14×14 16×16.
public struct IDX: ImageDataset {
  public let name: String
  public let classNames: [String]
  private let images: IDXArray
  private let labels: IDXArray
  /// Side of the squares whose mean is a pixel.
  private let factor: Int

  /// Sides are padded to a multiple of this many pixels.
  static let multiple = 8

  /// Joins images and labels that have been checked to belong together.
  init(name: String, classNames: [String], images: IDXArray, labels: IDXArray, factor: Int) {
    (self.name, self.classNames) = (name, classNames)
    (self.images, self.labels, self.factor) = (images, labels, factor)
  }

  public var count: Int { labels.dimensions[0] }

  public func annotation(_ index: Int) -> Annotation {
    .classIndex(Int32(labels.bytes[labels.start + index]))
  }

  public func origin(_ index: Int) -> String { "\(images.path), image \(index)" }

  public func image(_ index: Int) throws(DataError) -> Image {
    let (rows, columns) = (images.dimensions[1], images.dimensions[2])
    let (height, width) = (rows / factor, columns / factor)
    let (paddedHeight, paddedWidth) = (Self.padded(height), Self.padded(width))
    let (top, left) = ((paddedHeight - height) / 2, (paddedWidth - width) / 2)
    let area = factor * factor
    let start = images.start + index * rows * columns
    var result = Image(width: paddedWidth, height: paddedHeight, filledWith: RGB(0, 0, 0))
    images.bytes.withUnsafeBufferPointer { bytes in
      for y in 0..<height {
        for x in 0..<width {
          var sum = area / 2  // rounds to the nearest
          for row in 0..<factor {
            let line = start + (y * factor + row) * columns + x * factor
            for column in 0..<factor { sum += Int(bytes[line + column]) }
          }
          let target = ((y + top) * paddedWidth + x + left) * 3
          for channel in 0..<3 { result.pixels[target + channel] = UInt8(sum / area) }
        }
      }
    }
    return result
  }

  private static func padded(_ side: Int) -> Int { (side + multiple - 1) / multiple * multiple }
}
