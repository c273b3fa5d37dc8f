import SPD
import SPDVision

/// The random choices of a mosaic: four images around a point of a canvas of twice the image size.
struct MosaicPlan: Sendable, Equatable {
  /// Side of the square output; the canvas has twice as many pixels a side.
  var size: Int
  /// Where the four images meet, within the middle half of the canvas.
  var centreX, centreY: Int
  /// The images at the top left, top right, bottom left and bottom right; some may occur twice.
  var images: [Int]

  /// Draws the centre from U(size/2, 3·size/2), truncated, three more images with replacement, and their positions.
  init(index: Int, size: Int, sampler: ImageSampler, random: inout SplitMix64) {
    self.size = size
    let range = (low: Double(size) / 2, high: Double(size) * 1.5)
    centreY = Int(random.uniform(range.low, range.high))
    centreX = Int(random.uniform(range.low, range.high))
    let chosen = [index] + (0..<3).map { _ in sampler.draw(&random) }
    images = random.permutation(4).map { chosen[Int($0)] }
  }

  init(size: Int, centreX: Int, centreY: Int, images: [Int]) {
    self.size = size
    self.centreX = centreX
    self.centreY = centreY
    self.images = images
  }

  /// Draws the canvas: each image touches the centre with its corner and is cropped at the canvas; the rest is grey 114.
  ///
  /// - Parameter tiles: images with the longer side `size` and their labels; nil leaves the quarter grey.
  /// - Precondition: there are four tiles.
  func canvas(_ tiles: [(image: Image, labels: LabelledImage)?]) -> AugmentedSample {
    precondition(tiles.count == 4, "a mosaic has four tiles")
    let side = 2 * size
    var canvas = Image(width: side, height: side, filledWith: RGB(114, 114, 114))
    var objects: [PixelObject] = []
    for (place, tile) in tiles.enumerated() {
      guard let (image, labels) = tile else { continue }
      let left = place % 2 == 0 ? centreX - image.width : centreX
      let top = place / 2 == 0 ? centreY - image.height : centreY
      canvas.paste(image, left: left, top: top)
      let drawn = labels.pixelObjects(
        width: Double(image.width), height: Double(image.height), offset: SIMD2(Double(left), Double(top)))
      objects += drawn.map { $0.clipped(width: Double(side), height: Double(side)) }
    }
    return AugmentedSample(image: canvas, objects: objects)
  }
}

extension Image {
  /// Copies an image into this one, cropped where it does not fit.
  mutating func paste(_ image: Image, left: Int, top: Int) {
    let columns = max(left, 0)..<max(min(left + image.width, width), max(left, 0))
    let rows = max(top, 0)..<max(min(top + image.height, height), max(top, 0))
    guard !columns.isEmpty else { return }
    let rowBytes = width * 3
    pixels.withUnsafeMutableBufferPointer { target in
      image.pixels.withUnsafeBufferPointer { source in
        for y in rows {
          let from = source.baseAddress! + ((y - top) * image.width + columns.lowerBound - left) * 3
          (target.baseAddress! + y * rowBytes + columns.lowerBound * 3).update(from: from, count: columns.count * 3)
        }
      }
    }
  }
}
