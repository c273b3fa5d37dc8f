import Foundation
import SPDData
import SPDVision

@testable import SPDDetection

/// Coloured rectangles on grey, drawn on whole pixels: image i is 90 + i % 5 * 20 pixels wide. Every object has a colour of
/// its own, so that its pixels can be found again.
struct ColouredRectangles: DetectionDataset {
  var name = "rectangles"
  var classNames = ["red", "green", "blue"]
  var count: Int
  var broken: Set<Int> = []
  /// Makes early images slower than late ones, so that threads overtake each other.
  var delay = 0.0

  static let colours = [RGB(230, 20, 20), RGB(20, 230, 20), RGB(20, 20, 230)]

  func size(_ index: Int) -> (width: Int, height: Int) { (90 + index % 5 * 20, 60 + index % 7 * 15) }

  /// Left, top, right and bottom in pixels.
  func rectangle(_ index: Int) -> SIMD4<Int> {
    let (width, height) = size(index)
    return SIMD4(width / 5 + index % 3, height / 4, width / 5 + width / 2, height / 4 + height / 2)
  }

  func labels(_ index: Int) -> LabelledImage {
    let (width, height) = size(index)
    let sides = SIMD4(Float(width), Float(height), Float(width), Float(height))
    let box = SIMD4<Float>(rectangle(index)) / sides
    let centre = (box.lowHalf + box.highHalf) / 2
    return LabelledImage(
      path: "image \(index)", width: width, height: height,
      objects: [
        LabelledObject(classIndex: index % 3, box: SIMD4(lowHalf: centre, highHalf: box.highHalf - box.lowHalf))
      ])
  }

  func image(_ index: Int) throws(DataError) -> Image {
    if delay > 0 { Thread.sleep(forTimeInterval: delay * Double(index * 7919 % 13)) }
    if broken.contains(index) { throw DataError(path: "image \(index)", what: "is torn", remedy: "glue it") }
    let (width, height) = size(index)
    let box = rectangle(index)
    let colour = Self.colours[index % 3]
    var image = Image(width: width, height: height, filledWith: RGB(128, 128, 128))
    image.paste(
      Image(width: box.z - box.x, height: box.w - box.y, filledWith: colour), left: box.x, top: box.y)
    return image
  }
}

/// What a batch holds, byte for byte.
struct BatchContents: Equatable {
  var position: BatchPosition
  var height, width: Int
  var indices: [Int]
  var targets: [Float]
  var images: [UInt8]
  var broken: [Int]
  var fits: [ImageFit]

  init(_ batch: DetectionBatch) {
    position = batch.position
    (height, width) = (batch.height, batch.width)
    indices = batch.indices
    targets = batch.targets
    images = Array(UnsafeRawBufferPointer(batch.images))
    broken = batch.broken.map(\.index)
    fits = batch.fits
  }

  static func all(
    _ dataset: ColouredRectangles, _ options: DetectionLoaderOptions, parameters: DetectionHyperparameters = .scratch,
    weights: [Double]? = nil, mode: ImageCache.Mode = .none, from position: BatchPosition = .start, epochs: Int = 2
  ) throws -> [BatchContents] {
    let images = try ImageCache(dataset, imageSize: options.imageSize, augments: options.augments, mode: mode)
    let loader = try DetectionLoader(
      images, hyperparameters: parameters, options: options, weights: weights, from: position, epochs: epochs)
    var contents: [BatchContents] = []
    while let batch = try loader.next() { contents.append(BatchContents(batch)) }
    return contents
  }
}

/// The error that `body` throws, as text.
func loadingError(_ body: () throws -> Void) -> String {
  do {
    try body()
    return ""
  } catch { return "\(error)" }
}
