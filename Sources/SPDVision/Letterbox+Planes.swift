/// Fits an image into its place in a network's input: the pixels of ``letterbox(_:height:width:auto:stride:scaleUp:)``
/// as planes of floats, each byte divided by 255, without the letterboxed image in between.
///
/// - Parameters:
///   - fit: computed for an image of this size.
///   - target: 3 × `fit.height` × `fit.width` floats, channels R, G, B; all of them are written.
/// - Precondition: the image is valid and has the size that `fit` was computed for.
public func letterbox(_ image: Image, _ fit: Letterbox, into target: UnsafeMutablePointer<Float>) {
  image.requireValid()
  precondition(
    image.width == fit.imageWidth && image.height == fit.imageHeight,
    "the fit is for \(fit.imageWidth)×\(fit.imageHeight), the image has \(image.width)×\(image.height) pixels")
  let content = resizeBilinear(image, width: fit.contentWidth, height: fit.contentHeight)
  let area = fit.width * fit.height
  if fit.contentWidth < fit.width || fit.contentHeight < fit.height {
    target.update(repeating: Float(114) / 255, count: 3 * area)
  }
  content.pixels.withUnsafeBufferPointer { pixels in
    for y in 0..<content.height {
      let source = pixels.baseAddress! + y * content.width * 3
      let red = target + (y + fit.top) * fit.width + fit.left
      let (green, blue) = (red + area, red + 2 * area)
      // A division, which vectorises and rounds as the table of `planar` does; a product with 1/255 would not.
      for x in 0..<content.width {
        red[x] = Float(source[3 &* x]) / 255
        green[x] = Float(source[3 &* x &+ 1]) / 255
        blue[x] = Float(source[3 &* x &+ 2]) / 255
      }
    }
  }
}
