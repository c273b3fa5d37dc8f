/// Exact conversion of 16-bit floats to float32, which can represent all of them.
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

  /// Converts a bfloat16: the upper half of a float32.
  @inline(__always)
  static func float32(brain bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }
}
