import SPDVision

extension Image {
  /// Mirrors left and right.
  func flippedHorizontally() -> Image {
    rearranged { source, target in
      for y in 0..<height {
        for x in 0..<width { copyPixel(source, (width - 1 - x) + y * width, target, x + y * width) }
      }
    }
  }

  /// Mirrors top and bottom.
  func flippedVertically() -> Image {
    rearranged { source, target in
      for y in 0..<height {
        (target + y * width * 3).update(from: source + (height - 1 - y) * width * 3, count: width * 3)
      }
    }
  }

  /// Makes an image of the same size whose pixels `body` writes, all of them.
  func rearranged(
    _ body: (_ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>) -> Void
  ) -> Image {
    let result = [UInt8](unsafeUninitializedCapacity: pixels.count) { target, filled in
      pixels.withUnsafeBufferPointer { body($0.baseAddress!, target.baseAddress!) }
      filled = pixels.count
    }
    return Image(width: width, height: height, pixels: result)
  }
}

/// Copies pixel `from` of one image to pixel `to` of another.
@inline(__always)
func copyPixel(_ source: UnsafePointer<UInt8>, _ from: Int, _ target: UnsafeMutablePointer<UInt8>, _ to: Int) {
  target[to * 3] = source[from * 3]
  target[to * 3 + 1] = source[from * 3 + 1]
  target[to * 3 + 2] = source[from * 3 + 2]
}
