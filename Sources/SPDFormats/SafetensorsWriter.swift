/// Writes tensors atomically as a safetensors file: F32, in order, with metadata.
///
/// - Throws: `FormatError` where two tensors have one name, one is named `__metadata__`, a shape does not match its
/// values, the header would exceed 100 MB, or the file cannot be written.
public func writeSafetensors(
  _ tensors: [NamedTensor], metadata: [String: String] = [:], to path: String
) throws {
  try checkTensors(tensors, path: path, longestName: SafetensorsHeader.maximumSize)
  guard !tensors.contains(where: { $0.name == SafetensorsHeader.metadataKey }) else {
    throw FormatError(path: path, problem: "cannot be written: a tensor is named \(SafetensorsHeader.metadataKey)")
  }
  let header = encodedHeader(tensors, metadata: metadata)
  guard header.count <= SafetensorsHeader.maximumSize else {
    throw FormatError(path: path, problem: "cannot be written: the names and metadata exceed 100 MB")
  }
  var length = LittleEndianBytes()
  length.append(UInt64(header.count))
  try writeAtomically(to: path) { file in
    try file.write(length.bytes)
    try file.write(header)
    for (_, tensor) in tensors { try tensor.values.withUnsafeBytes { try file.write($0) } }
  }
}

/// Encodes the header, padded with spaces so that the tensors start at a multiple of 8 bytes.
private func encodedHeader(_ tensors: [NamedTensor], metadata: [String: String]) -> [UInt8] {
  var members: [String] = []
  if !metadata.isEmpty {
    let facts = metadata.sorted { $0.key < $1.key }.map { "\(jsonString($0.key)):\(jsonString($0.value))" }
    members.append("\"\(SafetensorsHeader.metadataKey)\":{\(facts.joined(separator: ","))}")
  }
  var offset = 0
  for (name, tensor) in tensors {
    let end = offset + tensor.values.count * MemoryLayout<Float>.size
    let shape = tensor.shape.map(String.init).joined(separator: ",")
    members.append("\(jsonString(name)):{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
    offset = end
  }
  let text = Array("{\(members.joined(separator: ","))}".utf8)
  return text + [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8)
}

private func jsonString(_ text: String) -> String {
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
