import SPDVision

extension AugmentedSample {
  /// Mirrors left and right.
  mutating func flipHorizontally() {
    let width = image.width
    image.pixels.withUnsafeMutableBufferPointer { pixels in
      for row in stride(from: pixels.baseAddress!, to: pixels.baseAddress! + pixels.count, by: width * 3) {
        var (left, right) = (row, row + (width - 1) * 3)
        while left < right {
          for channel in 0..<3 { swap(&left[channel], &right[channel]) }
          left += 3
          right -= 3
        }
      }
    }
    let side = Double(width)
    for i in objects.indices {
      let box = objects[i].box
      objects[i].box = SIMD4(side - box.z, box.y, side - box.x, box.w)
      objects[i].polygon = objects[i].polygon.map { SIMD2(side - $0.x, $0.y) }
    }
  }

  /// Mirrors top and bottom.
  mutating func flipVertically() {
    let (rowBytes, height) = (image.width * 3, image.height)
    image.pixels.withUnsafeMutableBufferPointer { pixels in
      for y in 0..<height / 2 {
        for offset in 0..<rowBytes { pixels.swapAt(y * rowBytes + offset, (height - 1 - y) * rowBytes + offset) }
      }
    }
    let side = Double(height)
    for i in objects.indices {
      let box = objects[i].box
      objects[i].box = SIMD4(box.x, side - box.w, box.z, side - box.y)
      objects[i].polygon = objects[i].polygon.map { SIMD2($0.x, side - $0.y) }
    }
  }
}
