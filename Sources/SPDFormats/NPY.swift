/// Reads a numpy array file as float32: .npy versions 1 to 3; floats, integers and booleans of either byte order;
/// row-major or Fortran order.
///
/// - Throws: `FormatError` where the file cannot be opened, is truncated, has data after the array, or where its
/// elements are not plain numbers.
public func readNPY(_ path: String) throws -> HostTensor {
  let bytes = try readWholeFile(path)
  var limit = ExpansionLimit(fileSize: bytes.count)
  return try parseNPY(bytes[...], path: path, region: "the file", limit: &limit)
}

/// Writes a tensor atomically as a .npy file: version 1, `<f4`, row-major.
///
/// - Throws: `FormatError` where the shape does not match the number of values, or the file cannot be written.
public func writeNPY(_ tensor: HostTensor, to path: String) throws {
  try checkShape(of: tensor, named: nil, path: path)
  try writeAtomically(to: path) { file in
    try file.write(NPYHeader.encoded(shape: tensor.shape))
    try tensor.values.withUnsafeBytes { try file.write($0) }
  }
}

/// Parses a .npy file in memory; `region` names the bytes in messages.
func parseNPY(
  _ bytes: ArraySlice<UInt8>, path: String, region: String, limit: inout ExpansionLimit
) throws -> HostTensor {
  var reader = ByteReader(bytes, path: path, region: region)
  let header = try NPYHeader(&reader)
  guard let count = HostTensor.elementCount(of: header.shape) else {
    throw reader.error("an array of shape \(describe(shape: header.shape)) has more elements than a file can hold")
  }
  let (size, overflow) = count.multipliedReportingOverflow(by: header.type.size)
  guard !overflow, size <= reader.remaining else {
    throw reader.error(
      "ends early: an array of shape \(describe(shape: header.shape)) and \(header.type.size)-byte elements is declared, "
        + "\(reader.remaining) bytes are left", remedy: "Copy the file again")
  }
  guard size == reader.remaining else {
    throw reader.error("has \(reader.remaining - size) bytes after the array", at: reader.offset + size)
  }
  try limit.spend(count) { reader.error($0, remedy: $1) }
  var data = try reader.take(size, for: "the elements")
  if header.fortranOrder {
    let strides = StridedLayout.columnMajorStrides(header.shape)
    let layout = StridedLayout.checked(shape: header.shape, strides: strides, offset: 0, available: count)
    switch layout {
    case .success(let layout): data = layout.gather(from: data, elementSize: header.type.size)
    case .failure(let fault): throw reader.error("the array \(fault.text)")
    }
  }
  return HostTensor(shape: header.shape, values: header.type.floats(in: data, bigEndian: header.bigEndian))
}

/// Throws for a tensor whose shape and values disagree.
func checkShape(of tensor: HostTensor, named name: String?, path: String) throws {
  let shape = describe(shape: tensor.shape)
  func refusal(_ problem: String) -> FormatError {
    FormatError(
      path: path, problem: "cannot be written: \(problem)", location: name.map { "tensor \(quoted($0))" })
  }
  guard let count = HostTensor.elementCount(of: tensor.shape) else {
    throw refusal("no array has the shape \(shape): no other program would read it")
  }
  guard count == tensor.values.count else {
    throw refusal("shape \(shape) does not fit \(tensor.values.count) values")
  }
}
