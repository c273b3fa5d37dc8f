/// Reads a numpy archive (.npz, stored or deflated): its arrays in file order, named without `.npy`.
///
/// Together the arrays may have 64 Mi values or 8 per byte of the file, whichever is more.
///
/// - Throws: `FormatError` where the file cannot be opened, is not a zip archive, is damaged, exceeds that limit, or
/// contains anything but arrays of plain numbers.
public func readNPZ(_ path: String) throws -> [NamedTensor] {
  let bytes = try readWholeFile(path)
  guard FileKind(bytes) == .zip else { throw FormatError(path: path, problem: "is not a .npz archive") }
  return try parseNPZ(ZipArchive(bytes, path: path))
}

/// Writes tensors atomically as an uncompressed numpy archive, in order.
///
/// - Throws: `FormatError` where two tensors have one name, a shape does not match its values, or the file cannot be
/// written.
public func writeNPZ(_ tensors: [NamedTensor], to path: String) throws {
  try checkTensors(tensors, path: path, longestName: Int(UInt16.max) - 4)
  try writeAtomically(to: path) { file in
    var archive = ZipWriter { try file.write($0) }
    try addArrays(tensors, to: &archive)
  }
}

/// Adds a .npy entry for every tensor and finishes the archive.
func addArrays(_ tensors: [NamedTensor], to archive: inout ZipWriter) throws {
  for (name, tensor) in tensors {
    let header = NPYHeader.encoded(shape: tensor.shape)
    try header.withUnsafeBytes { header in
      try tensor.values.withUnsafeBytes { try archive.add(name + ".npy", parts: [header, $0]) }
    }
  }
  try archive.finish()
}

/// Whether every entry of the archive is an array file.
func isNPZ(_ archive: ZipArchive) -> Bool { archive.entries.allSatisfy { $0.name.hasSuffix(".npy") } }

func parseNPZ(_ archive: ZipArchive) throws -> [NamedTensor] {
  guard isNPZ(archive) else {
    let other = archive.entries.first { !$0.name.hasSuffix(".npy") }?.name ?? ""
    throw FormatError(path: archive.path, problem: "is not a .npz archive: it holds \(quoted(other))")
  }
  var limit = ExpansionLimit(fileSize: archive.fileSize)
  var names: Set<String> = []
  return try archive.entries.map { entry in
    let tensor = try parseNPY(
      archive.unpack(entry), path: archive.path, region: "zip entry \(quoted(entry.name))", limit: &limit)
    let name = String(entry.name.dropLast(4))
    guard names.insert(name).inserted else { throw sameName(name, path: archive.path) }
    return (name, tensor)
  }
}

/// Makes the error for names that are equal as dictionary keys: also two spellings of one text (composed and
/// decomposed accents).
func sameName(_ name: String, path: String) -> FormatError {
  FormatError(
    path: path, problem: "has two tensors named \(quoted(name)), or so in another Unicode normalisation",
    remedy: "Rename one of them")
}

/// Throws for tensors that share a name, have a name too long for the format, or a shape that does not match.
func checkTensors(_ tensors: [NamedTensor], path: String, longestName: Int) throws {
  var names: Set<String> = []
  for (name, tensor) in tensors {
    guard names.insert(name).inserted else {
      throw FormatError(path: path, problem: "cannot be written: two tensors are named \(quoted(name))")
    }
    guard name.utf8.count <= longestName else {
      throw FormatError(path: path, problem: "cannot be written: a tensor's name has \(name.utf8.count) bytes")
    }
    try checkShape(of: tensor, named: name, path: path)
  }
}
