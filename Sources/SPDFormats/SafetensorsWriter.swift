/// Writes tensors atomically as a safetensors file: in order, with metadata.
///
/// - Throws: `FormatError` where two tensors have one name, a finite value exceeds the type, one is named `__metadata__`, a shape does not match its
/// values, the header would exceed 100 MB, or the file cannot be written.
public func writeSafetensors(
  _ tensors: [NamedTensor], metadata: [String: String] = [:], as type: SafetensorsType = .float32, to path: String
) throws {
  try checkTensors(tensors, path: path, longestName: SafetensorsHeader.maximumSize)
  guard !tensors.contains(where: { $0.name == SafetensorsHeader.metadataKey }) else {
    throw FormatError(path: path, problem: "cannot be written: a tensor is named \(SafetensorsHeader.metadataKey)")
  }
  if type == .float16,
    let large = tensors.first(where: { $0.tensor.values.contains { abs($0) >= 65520 && $0.isFinite } })
  {
    throw FormatError(
      path: path, problem: "cannot be written: \(large.name) has a value beyond 65504, the largest 16-bit float",
      remedy: "Store 32-bit floats")
  }
  let header = encodedHeader(tensors, metadata: metadata, type)
  guard header.count <= SafetensorsHeader.maximumSize else {
    throw FormatError(path: path, problem: "cannot be written: the names and metadata exceed 100 MB")
  }
  var length = LittleEndianBytes()
  length.append(UInt64(header.count))
  try writeAtomically(to: path) { file in
    try file.write(length.bytes)
    try file.write(header)
    for (_, tensor) in tensors {
      switch type {
      case .float32: try tensor.values.withUnsafeBytes { try file.write($0) }
      case .float16: try tensor.values.map { HalfFloat.half($0).littleEndian }.withUnsafeBytes { try file.write($0) }
      }
    }
  }
}

/// How the values of a written safetensors file are stored.
public enum SafetensorsType: String, Sendable {
  case float32 = "F32"
  /// Rounded to the nearest; half the size.
  case float16 = "F16"

  /// Bytes of a value.
  var size: Int { self == .float32 ? 4 : 2 }
}

/// Encodes the header, padded with spaces so that the tensors start at a multiple of 8 bytes.
private func encodedHeader(_ tensors: [NamedTensor], metadata: [String: String], _ type: SafetensorsType) -> [UInt8] {
  var members: [String] = []
  if !metadata.isEmpty {
    let facts = metadata.sorted { $0.key < $1.key }.map { "\(jsonString($0.key)):\(jsonString($0.value))" }
    members.append("\"\(SafetensorsHeader.metadataKey)\":{\(facts.joined(separator: ","))}")
  }
  var offset = 0
  for (name, tensor) in tensors {
    let end = offset + tensor.values.count * type.size
    let shape = tensor.shape.map(String.init).joined(separator: ",")
    members.append(
      "\(jsonString(name)):{\"dtype\":\"\(type.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
    offset = end
  }
  let text = Array("{\(members.joined(separator: ","))}".utf8)
  return text + [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8)
}

private func jsonString(_ text: String) -> String {
  let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
  if isPlain { return "\"\(text)\"" }
  var quoted = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": quoted += "\\\""
    case "\\": quoted += "\\\\"
    case "\n": quoted += "\\n"
    case "\r": quoted += "\\r"
    case "\t": quoted += "\\t"
    case _ where scalar.value < 0x20:
      let digits = String(scalar.value, radix: 16)
      quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: quoted.unicodeScalars.append(scalar)
    }
  }
  return quoted + "\""
}
