#if !_endian(little)
  #error("SPDFormats moves native float32 to and from little-endian files unchanged")
#endif

/// The element types that files hold.
enum ElementType: Sendable {
  case float64, float32, float16, bfloat16
  case int64, int32, int16, int8
  case uint64, uint32, uint16, uint8
  case bool

  /// Size of one element in bytes.
  var size: Int {
    switch self {
    case .float64, .int64, .uint64: 8
    case .float32, .int32, .uint32: 4
    case .float16, .bfloat16, .int16, .uint16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// A short name for messages.
  var label: String {
    switch self {
    case .float64: "fp64"
    case .float32: "fp32"
    case .float16: "fp16"
    case .bfloat16: "bf16"
    default: "\(self)"
    }
  }

  var isFloat: Bool {
    switch self {
    case .float64, .float32, .float16, .bfloat16: true
    default: false
    }
  }

  /// Converts the elements in `bytes` to float32: exactly for 16-bit floats, rounded to nearest for wider types.
  func floats(in bytes: ArraySlice<UInt8>, bigEndian: Bool) -> [Float] {
    let count = bytes.count / size
    return [Float](unsafeUninitializedCapacity: count) { output, filled in
      bytes.withUnsafeBytes { input in
        let source = Source(bytes: input, bigEndian: bigEndian, count: count)
        switch self {
        case .float64: source.convert(UInt64.self, to: output) { Float(Double(bitPattern: $0)) }
        case .float32: source.convert(UInt32.self, to: output) { Float(bitPattern: $0) }
        case .float16: source.convert(UInt16.self, to: output) { HalfFloat.float32(half: $0) }
        case .bfloat16: source.convert(UInt16.self, to: output) { HalfFloat.float32(brain: $0) }
        case .int64: source.convert(Int64.self, to: output) { Float($0) }
        case .int32: source.convert(Int32.self, to: output) { Float($0) }
        case .int16: source.convert(Int16.self, to: output) { Float($0) }
        case .int8: source.convert(Int8.self, to: output) { Float($0) }
        case .uint64: source.convert(UInt64.self, to: output) { Float($0) }
        case .uint32: source.convert(UInt32.self, to: output) { Float($0) }
        case .uint16: source.convert(UInt16.self, to: output) { Float($0) }
        case .uint8: source.convert(UInt8.self, to: output) { Float($0) }
        case .bool: source.convert(UInt8.self, to: output) { $0 == 0 ? 0 : 1 }
        }
      }
      filled = count
    }
  }

  private struct Source {
    let bytes: UnsafeRawBufferPointer
    let bigEndian: Bool
    let count: Int

    @inline(__always)
    func convert<Raw: FixedWidthInteger>(
      _ type: Raw.Type, to output: UnsafeMutableBufferPointer<Float>, _ value: (Raw) -> Float
    ) {
      for index in 0..<count {
        let raw = bytes.loadUnaligned(fromByteOffset: index &* MemoryLayout<Raw>.size, as: Raw.self)
        output[index] = value(bigEndian ? Raw(bigEndian: raw) : raw)
      }
    }
  }
}
