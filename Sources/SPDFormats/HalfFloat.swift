/// Conversion of 16-bit floats to float32, which can represent all of them, and back.
enum HalfFloat {
  /// Converts an IEEE binary16.
  @inline(__always)
  static func float32(half bits: UInt16) -> Float {
    let wide = UInt32(bits)
    let sign = (wide & 0x8000) << 16
    let magnitude = wide & 0x7fff
    // Exponent and mantissa moved to their float32 places; the exponent bias grows from 15 to 127.
    let normal = (magnitude << 13) + (112 << 23)
    if magnitude >= 0x7c00 { return Float(bitPattern: sign | normal + (112 << 23)) }  // infinity and NaN
    if magnitude >= 0x0400 { return Float(bitPattern: sign | normal) }
    // Subnormal: mantissa × 2⁻²⁴, as (1 + mantissa/1024) × 2⁻¹⁴ − 2⁻¹⁴, which avoids float32 subnormals.
    let value = Float(bitPattern: normal + (1 << 23)) - Float(bitPattern: 113 << 23)
    return Float(bitPattern: sign | value.bitPattern)
  }

  /// Rounds to the nearest IEEE binary16, ties to even; infinity from 65520 on.
  static func half(_ value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let magnitude = value.magnitude
    if value.isNaN { return sign | 0x7e00 }
    if magnitude >= 65520 { return sign | 0x7c00 }
    // Adding 2¹³ times the last place of a half leaves a float32 no bits below it.
    let exponent = Swift.max(magnitude.bitPattern >> 23, 113)
    let anchor = Float(bitPattern: (exponent + 13) << 23)
    let rounded = magnitude + anchor - anchor
    if rounded < Float(bitPattern: 113 << 23) {  // subnormal: a multiple of 2⁻²⁴
      return sign | UInt16(rounded * 0x1p24)
    }
    return sign | UInt16(truncatingIfNeeded: (rounded.bitPattern - (112 << 23)) >> 13)
  }

  /// Converts a bfloat16: the upper half of a float32.
  @inline(__always)
  static func float32(brain bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }
}
