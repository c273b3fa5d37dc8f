/// Reads a safetensors file. F64, F32, F16, BF16, integers and booleans are converted to float32.
///
/// - Throws: `FormatError` where the file cannot be opened or violates the format: a header above 100 MB or beyond the
///   file, a duplicate name, a size other than shape × element size, bytes that overlap, leave a gap or are missing.
public func readSafetensors(_ path: String) throws -> Checkpoint {
  try parseSafetensors(readWholeFile(path), path: path)
}

/// The header's entry for one tensor.
struct SafetensorsEntry {
  let name: String
  let type: ElementType
  let shape: [Int]
  /// The tensor's bytes, relative to the end of the header.
  let range: Range<Int>
}

func parseSafetensors(_ bytes: [UInt8], path: String) throws -> Checkpoint {
  var reader = ByteReader(bytes[...], path: path, region: "the file")
  let headerSize = try reader.size64(for: "the length of the safetensors header")
  guard headerSize <= SafetensorsHeader.maximumSize else {
    throw reader.error("declares a safetensors header of \(headerSize) bytes; at most 100 MB are allowed", at: 0)
  }
  let header = try SafetensorsHeader(try reader.take(headerSize, for: "the safetensors header"), path: path)
  let data = try reader.take(reader.remaining, for: "the tensors")
  try header.checkCoverage(of: data.count, path: path)

  var checkpoint = Checkpoint(metadata: header.metadata)
  var sizes: [(ElementType, Int)] = []
  for entry in header.entries {
    let start = data.startIndex + entry.range.lowerBound
    let values = entry.type.floats(in: data[start..<start + entry.range.count], bigEndian: false)
    let tensor = HostTensor(shape: entry.shape, values: values)
    guard checkpoint.tensors.updateValue(tensor, forKey: entry.name) == nil else {
      throw sameName(entry.name, path: path)
    }
    checkpoint.order.append(entry.name)
    sizes.append((entry.type, values.count))
  }
  checkpoint.origin = "safetensors, \(precisionLabel(sizes))"
  checkpoint.classNames = classNames(in: header.metadata, path: path)
  let declaredClasses = header.metadata["nc"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
  checkpoint.classes = declaredClasses ?? checkpoint.classNames?.count
  return checkpoint
}

/// The precision of a set of tensors for messages: the type of most of its floats, or of most of its numbers if it
/// has none.
func precisionLabel(_ sizes: [(ElementType, Int)]) -> String {
  let floats = sizes.filter { $0.0.isFloat }
  var counts: [String: Int] = [:]
  for (type, count) in floats.isEmpty ? sizes : floats { counts[type.label, default: 0] += count }
  return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? "empty"
}

/// Class names from the metadata, where `names` is a JSON list of strings.
private func classNames(in metadata: [String: String], path: String) -> [String]? {
  guard let text = metadata["names"] else { return nil }
  var reader = JSONReader(Array(text.utf8)[...], path: path, region: "names")
  guard case .array(let values)? = try? reader.document() else { return nil }
  let names = values.compactMap { if case .string(let name) = $0 { name } else { nil } }
  return names.count == values.count ? names : nil
}
