/// Scales planes of floats bilinearly with half-pixel centres and no antialiasing, position (x + ½)·in/out − ½ and not
/// below 0, as PyTorch's `interpolate` does without aligned corners, and pads them on the right and at the bottom.
///
/// - Parameters:
///   - source: `count` planes of `height` × `width`.
///   - isMirrored: mirrors the source left and right first.
///   - target: `count` planes of `paddedHeight` × `paddedWidth`; all of it is written.
///   - pad: the value of the padding.
/// - Precondition: all sizes are positive, and the padded ones are not less than the scaled ones.
public func scalePlanes(
  _ source: UnsafePointer<Float>, count: Int, height: Int, width: Int, isMirrored: Bool = false,
  into target: UnsafeMutablePointer<Float>, scaledHeight: Int, scaledWidth: Int, paddedHeight: Int, paddedWidth: Int,
  pad: Float
) {
  precondition(height > 0 && width > 0 && scaledHeight > 0 && scaledWidth > 0, "a plane has no pixels")
  precondition(paddedHeight >= scaledHeight && paddedWidth >= scaledWidth, "the padding is negative")
  let rows = planeTaps(from: height, to: scaledHeight)
  let columns = planeTaps(from: width, to: scaledWidth).map { tap in
    isMirrored ? PlaneTap(first: width - 1 - tap.first, second: width - 1 - tap.second, fraction: tap.fraction) : tap
  }
  for plane in 0..<count {
    let from = source + plane * height * width
    let to = target + plane * paddedHeight * paddedWidth
    for (y, row) in rows.enumerated() {
      let (above, below) = (from + row.first * width, from + row.second * width)
      let output = to + y * paddedWidth
      for (x, column) in columns.enumerated() {
        let upper = above[column.first] + (above[column.second] - above[column.first]) * column.fraction
        let lower = below[column.first] + (below[column.second] - below[column.first]) * column.fraction
        output[x] = upper + (lower - upper) * row.fraction
      }
      (output + scaledWidth).update(repeating: pad, count: paddedWidth - scaledWidth)
    }
    (to + scaledHeight * paddedWidth).update(repeating: pad, count: (paddedHeight - scaledHeight) * paddedWidth)
  }
}

/// The two source positions around an output position, and how far it is from the first to the second.
private struct PlaneTap {
  var first, second: Int
  var fraction: Float
}

private func planeTaps(from size: Int, to scaledSize: Int) -> [PlaneTap] {
  let scale = Float(size) / Float(scaledSize)
  return (0..<scaledSize).map { position in
    let centre = max((Float(position) + 0.5) * scale - 0.5, 0)
    let first = min(Int(centre), size - 1)
    return PlaneTap(first: first, second: min(first + 1, size - 1), fraction: centre - Float(first))
  }
}
