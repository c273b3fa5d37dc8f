/// An 8-bit RGB image: `pixels[(y * width + x) * 3 + channel]`, row 0 on top, channels in the order R, G, B.
public struct Image: Sendable, Equatable {
  public var width: Int
  public var height: Int
  /// `width * height * 3` bytes.
  public var pixels: [UInt8]

  /// - Precondition: both sides are positive and `pixels` holds `width * height * 3` bytes.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    self.width = width
    self.height = height
    self.pixels = pixels
    requireValid()
  }

  /// Makes an image of one colour.
  public init(width: Int, height: Int, filledWith colour: RGB) {
    let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { buffer, count in
      for offset in stride(from: 0, to: buffer.count, by: 3) {
        buffer[offset] = colour.red
        buffer[offset + 1] = colour.green
        buffer[offset + 2] = colour.blue
      }
      count = width * height * 3
    }
    self.init(width: width, height: height, pixels: pixels)
  }

  var isValid: Bool { width > 0 && height > 0 && pixels.count == width * height * 3 }

  /// Checks that sides and pixels match: each can be changed separately, so every function that reads pixels calls
  /// this.
  func requireValid() {
    precondition(isValid, "a \(width)×\(height) image cannot have \(pixels.count) bytes of RGB")
  }
}

/// An 8-bit colour.
public struct RGB: Sendable, Equatable, Hashable {
  public var red, green, blue: UInt8

  public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }
}
