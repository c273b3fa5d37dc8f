import SPDVision

/// Scales an image so that its longer side has `size` pixels, as the reference loads images: both sides are
/// **truncated**, not rounded, which can give 639 for 640. Shrinking averages areas unless the image will be augmented;
/// everything else is bilinear.
///
/// r = size / max(height, width); the result has trunc(width·r) × trunc(height·r) pixels, one at least.
func resizedForTraining(_ image: Image, size: Int, augments: Bool) -> Image {
  let (width, height) = trainingSize(width: image.width, height: image.height, size: size)
  let longer = max(image.width, image.height)
  if longer == size { return image }
  return longer > size && !augments
    ? resizeArea(image, width: width, height: height) : resizeBilinear(image, width: width, height: height)
}

/// The size that ``resizedForTraining(_:size:augments:)`` gives.
func trainingSize(width: Int, height: Int, size: Int) -> (width: Int, height: Int) {
  let ratio = Double(size) / Double(max(width, height))
  if ratio == 1 { return (width, height) }
  // A very long and thin image would vanish; it keeps one pixel, where the reference fails.
  return (max(Int(Double(width) * ratio), 1), max(Int(Double(height) * ratio), 1))
}
