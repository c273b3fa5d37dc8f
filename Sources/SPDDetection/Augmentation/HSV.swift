/// OpenCV's 8-bit HSV: hue in units of 2° (0...179), saturation and value in 0...255.
enum HSV {
  /// Divisions by a byte as multiplications: round(255·2¹² / i) and round(180·2¹² / 6i), 0 for i = 0.
  static let saturationFactors: [Int32] = (0...255).map { i in
    i == 0 ? 0 : Int32((Double(255 << 12) / Double(i)).rounded(.toNearestOrEven))
  }
  static let hueFactors: [Int32] = (0...255).map { i in
    i == 0 ? 0 : Int32((Double(180 << 12) / (6 * Double(i))).rounded(.toNearestOrEven))
  }

  /// Converts from RGB in fixed point, bit for bit as `cvtColor` with `COLOR_RGB2HSV`.
  @inline(__always)
  static func from(
    _ red: Int32, _ green: Int32, _ blue: Int32, _ saturationFactors: UnsafePointer<Int32>,
    _ hueFactors: UnsafePointer<Int32>
  ) -> (hue: Int, saturation: Int, value: Int) {
    let value = max(red, green, blue)
    let range = value &- min(red, green, blue)
    let saturation = (range &* saturationFactors[Int(value)] &+ 2048) >> 12
    let sector: Int32 =
      value == red ? green &- blue : value == green ? blue &- red &+ 2 &* range : red &- green &+ 4 &* range
    var hue = (sector &* hueFactors[Int(range)] &+ 2048) >> 12
    if hue < 0 { hue &+= 180 }
    return (Int(hue), Int(saturation), Int(value))
  }

  /// A hue as the number of its sextant and the position within it.
  static let sextants: [(number: Int, fraction: Float)] = (0...255).map { hue in
    let position = Float(hue) * (6 / Float(180))
    let floor = position.rounded(.down)
    return (Int(floor) % 6, position - floor)
  }

  /// Converts to RGB in single precision, bit for bit as `cvtColor` with `COLOR_HSV2RGB` where the processor has fused
  /// multiply-add; saturation and value are in 0...1. The result is truncated; OpenCV rounds it only at the end of rows
  /// that are no multiple of its vectors.
  @inline(__always)
  static func rgb(sextant: Int, fraction: Float, saturation: Float, value: Float) -> (UInt8, UInt8, UInt8) {
    func byte(_ part: Float) -> UInt8 { UInt8(truncatingIfNeeded: Int32(part * 255)) }
    // A product of floats is exact in double precision, so this rounds once, as a fused multiply-add does.
    func oneMinus(_ first: Float, _ second: Float) -> Float { Float(1 - Double(first) * Double(second)) }
    let full = byte(value)
    let low = byte(value * (1 - saturation))
    let falling = byte(value * oneMinus(saturation, fraction))
    let rising = byte(value * oneMinus(saturation, 1 - fraction))
    switch sextant {
    case 0: return (full, rising, low)
    case 1: return (falling, full, low)
    case 2: return (low, full, rising)
    case 3: return (low, falling, full)
    case 4: return (rising, low, full)
    default: return (full, low, falling)
    }
  }
}
