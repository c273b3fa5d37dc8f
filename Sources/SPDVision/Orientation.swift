extension Image {
  /// Applies an Exif orientation:
  /// 1 upright, 2 mirrored, 3 rotated by 180°, 4 upside down and mirrored, 5 transposed, 6 to be rotated clockwise,
  /// 7 transposed across the other diagonal, 8 to be rotated anticlockwise. Other values are treated as 1.
  func oriented(by orientation: Int) -> Image {
    guard (2...8).contains(orientation) else { return self }
    let swapsSides = orientation >= 5
    let newWidth = swapsSides ? height : width
    let newHeight = swapsSides ? width : height
    // Stored x and y of the new image's origin, then their increments along the new x and the new y.
    let fromRight = [2, 3, 7, 8].contains(orientation)
    let fromBottom = [3, 4, 6, 7].contains(orientation)
    let origin = (fromRight ? width - 1 : 0) + (fromBottom ? height - 1 : 0) * width
    let alongWidth = fromRight ? -1 : 1
    let alongHeight = fromBottom ? -width : width
    let stepX = swapsSides ? alongHeight : alongWidth
    let stepY = swapsSides ? alongWidth : alongHeight

    let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { target, count in
      pixels.withUnsafeBufferPointer { source in
        var to = 0
        for y in 0..<newHeight {
          var from = (origin + y * stepY) * 3
          for _ in 0..<newWidth {
            target[to] = source[from]
            target[to + 1] = source[from + 1]
            target[to + 2] = source[from + 2]
            to += 3
            from += stepX * 3
          }
        }
      }
      count = pixels.count
    }
    return Image(width: newWidth, height: newHeight, pixels: turned)
  }
}
