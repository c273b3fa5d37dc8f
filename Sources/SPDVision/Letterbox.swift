/// How an image was fitted into a network's input: scaled by one ratio for both sides, centred, and padded.
///
/// All sizes are in pixels. Pixels are padded by whole numbers; the pads for coordinates are not rounded, as in the
/// reference, so boxes can be off by half a pixel.
public struct Letterbox: Sendable, Equatable {
  /// The original image.
  public let imageWidth, imageHeight: Int
  /// The letterboxed image.
  public let width, height: Int
  /// The scaled image inside the letterboxed one, and the position of its top left pixel.
  public let contentWidth, contentHeight, left, top: Int
  /// The unrounded pads on either side: half of `width - contentWidth` and of `height - contentHeight`.
  public let halfPadX, halfPadY: Double
  /// The scale that the pixels were resized by.
  public let ratio: Double

  /// Computes the fit without touching pixels; see ``letterbox(_:height:width:auto:stride:scaleUp:)`` for the
  /// parameters.
  public init(
    imageWidth: Int, imageHeight: Int, height: Int, width: Int, auto: Bool = false, stride: Int = 32,
    scaleUp: Bool = true
  ) {
    precondition(imageWidth > 0 && imageHeight > 0, "an image of \(imageWidth)×\(imageHeight) has no pixels")
    precondition(width > 0 && height > 0 && stride > 0, "width, height and stride must be positive")
    let fit = min(Double(height) / Double(imageHeight), Double(width) / Double(imageWidth))
    let ratio = scaleUp ? fit : min(fit, 1)
    // A very long and thin image would vanish; it keeps one pixel, where the reference fails.
    let contentWidth = max(Int(roundedHalfToEven(Double(imageWidth) * ratio)), 1)
    let contentHeight = max(Int(roundedHalfToEven(Double(imageHeight) * ratio)), 1)
    var padX = width - contentWidth
    var padY = height - contentHeight
    if auto {
      padX %= stride
      padY %= stride
    }
    self.imageWidth = imageWidth
    self.imageHeight = imageHeight
    self.width = contentWidth + padX
    self.height = contentHeight + padY
    self.contentWidth = contentWidth
    self.contentHeight = contentHeight
    self.halfPadX = Double(padX) / 2
    self.halfPadY = Double(padY) / 2
    // An odd pad has its extra pixel on the right or at the bottom: the reference rounds half - 0.1 and half + 0.1.
    self.left = Int(roundedHalfToEven(halfPadX - 0.1))
    self.top = Int(roundedHalfToEven(halfPadY - 0.1))
    self.ratio = ratio
  }

  /// The divisor for coordinates in the letterboxed image, after the pads are subtracted. The reference computes it
  /// from the two sizes, which is slightly less than the ratio where `auto` removed a pad that came from rounding. An
  /// image that was kept small because of `scaleUp` keeps its ratio of 1.
  public var gain: Double {
    min(Double(height) / Double(imageHeight), Double(width) / Double(imageWidth), ratio)
  }

  /// The pad that corresponds to `gain`.
  public var coordinatePadX: Double { (Double(width) - Double(imageWidth) * gain) / 2 }
  public var coordinatePadY: Double { (Double(height) - Double(imageHeight) * gain) / 2 }
}

/// Fits an image into `height`×`width` as the reference does: scaled bilinearly by one ratio, centred, padded with grey
/// 114.
///
/// - Parameters:
///   - auto: reduce the pads to what the stride needs; the result is then the smallest rectangle whose sides are the
/// requested ones less a multiple of `stride`.
///   - stride: the network's largest stride.
///   - scaleUp: false keeps images that are smaller than the input at their size.
/// - Precondition: the image is valid; height, width and stride are positive.
public func letterbox(
  _ image: Image, height: Int, width: Int, auto: Bool = false, stride: Int = 32, scaleUp: Bool = true
) -> (Image, Letterbox) {
  let fit = Letterbox(
    imageWidth: image.width, imageHeight: image.height, height: height, width: width, auto: auto,
    stride: stride, scaleUp: scaleUp)
  let content = resizeBilinear(image, width: fit.contentWidth, height: fit.contentHeight)
  if fit.width == content.width && fit.height == content.height { return (content, fit) }

  let rowBytes = fit.width * 3
  let contentBytes = content.width * 3
  var pixels = [UInt8](repeating: 114, count: rowBytes * fit.height)
  pixels.withUnsafeMutableBufferPointer { target in
    content.pixels.withUnsafeBufferPointer { source in
      for y in 0..<content.height {
        let to = target.baseAddress! + (y + fit.top) * rowBytes + fit.left * 3
        to.update(from: source.baseAddress! + y * contentBytes, count: contentBytes)
      }
    }
  }
  return (Image(width: fit.width, height: fit.height, pixels: pixels), fit)
}

/// The size that ``letterbox(_:height:width:auto:stride:scaleUp:)`` gives with `auto`, without resizing anything.
public func letterboxShape(
  imageHeight: Int, imageWidth: Int, height: Int, width: Int, stride: Int = 32, scaleUp: Bool = true
) -> (height: Int, width: Int) {
  let fit = Letterbox(
    imageWidth: imageWidth, imageHeight: imageHeight, height: height, width: width, auto: true, stride: stride,
    scaleUp: scaleUp)
  return (fit.height, fit.width)
}

/// Rounds as Python's `round` does.
private func roundedHalfToEven(_ value: Double) -> Double { value.rounded(.toNearestOrEven) }
