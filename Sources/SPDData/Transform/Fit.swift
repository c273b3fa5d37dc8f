import SPDVision

/// How an image is fitted to the size of the network's input.
public enum Fit: String, Codable, Sendable, CaseIterable {
  /// Scale by one factor until it covers the input, then crop the centre.
  case crop
  /// Scale to the input's width and height, which may distort it.
  case stretch
}

extension Image {
  /// Returns the image at `width`×`height`.
  ///
  /// Scaling is bilinear. An image more than twice as large is halved first, repeatedly: bilinear interpolation reads
  /// four pixels only, and would ignore most of the others.
  func fitted(_ fit: Fit, width newWidth: Int, height newHeight: Int) -> Image {
    if width == newWidth && height == newHeight { return self }
    guard fit == .crop else { return scaled(width: newWidth, height: newHeight) }
    let source = coveredMiddle(width: newWidth, height: newHeight)
    let factor = max(Double(newWidth) / Double(source.width), Double(newHeight) / Double(source.height))
    let coveringWidth = max(newWidth, Int((Double(source.width) * factor).rounded()))
    let coveringHeight = max(newHeight, Int((Double(source.height) * factor).rounded()))
    return source.scaled(width: coveringWidth, height: coveringHeight).cropped(
      left: (coveringWidth - newWidth) / 2, top: (coveringHeight - newHeight) / 2, width: newWidth, height: newHeight)
  }

  /// The image without the ends of a very long one that a crop removes anyway: an image of 1×65 500 pixels must not be
  /// scaled to 224×14 672 000.
  private func coveredMiddle(width newWidth: Int, height newHeight: Int) -> Image {
    // Four times the wanted length, so that the neighbourhood that bilinear scaling reads stays the same.
    let widest = 4 * (height * newWidth + newHeight - 1) / newHeight
    let highest = 4 * (width * newHeight + newWidth - 1) / newWidth
    guard width > widest || height > highest else { return self }
    let (keptWidth, keptHeight) = (min(width, widest), min(height, highest))
    return cropped(
      left: (width - keptWidth) / 2, top: (height - keptHeight) / 2, width: keptWidth, height: keptHeight)
  }

  private func scaled(width newWidth: Int, height newHeight: Int) -> Image {
    var image = self
    while image.width >= 2 * newWidth && image.height >= 2 * newHeight
      && (image.width > 2 * newWidth || image.height > 2 * newHeight)
    {
      image = resizeBilinear(image, width: image.width / 2, height: image.height / 2)
    }
    return resizeBilinear(image, width: newWidth, height: newHeight)
  }
}
