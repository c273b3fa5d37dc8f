import SPDVision

/// How a picture of another size becomes one of the network's size.
public enum Fit: String, Codable, Sendable, CaseIterable {
  /// Scaled by one factor until it covers the input, and the middle of it taken.
  case crop
  /// Scaled to the input's width and height, which may distort it.
  case stretch
}

extension Picture {
  /// The picture at `width`×`height`.
  ///
  /// Scaling is bilinear. A picture more than twice as large is halved first, as often as that is so: bilinear
  /// interpolation looks at four pixels only, and would leave out most of the others.
  func fitted(_ fit: Fit, width newWidth: Int, height newHeight: Int) -> Picture {
    if width == newWidth && height == newHeight { return self }
    guard fit == .crop else { return scaled(width: newWidth, height: newHeight) }
    let factor = max(Double(newWidth) / Double(width), Double(newHeight) / Double(height))
    let coveringWidth = max(newWidth, Int((Double(width) * factor).rounded()))
    let coveringHeight = max(newHeight, Int((Double(height) * factor).rounded()))
    return scaled(width: coveringWidth, height: coveringHeight).cropped(
      left: (coveringWidth - newWidth) / 2, top: (coveringHeight - newHeight) / 2, width: newWidth, height: newHeight)
  }

  private func scaled(width newWidth: Int, height newHeight: Int) -> Picture {
    var picture = self
    while picture.width >= 2 * newWidth && picture.height >= 2 * newHeight
      && (picture.width > 2 * newWidth || picture.height > 2 * newHeight)
    {
      picture = resizeBilinear(picture, width: picture.width / 2, height: picture.height / 2)
    }
    return resizeBilinear(picture, width: newWidth, height: newHeight)
  }
}
