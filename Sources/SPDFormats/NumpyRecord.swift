/// A numpy array in a pickle, as in state dicts converted to numpy.
struct NumpyRecord {
  let type: ElementType
  private let bigEndian: Bool
  private let isFortran: Bool
  let shape: [Int]
  /// The array's data, as text or bytes. Not copied until needed: thousands of arrays of a pickle may share one text.
  private let content: PickleValue
  private let byteCount: Int

  /// Returns nil where the value is not an array of plain numbers.
  init?(_ value: PickleValue, _ heap: PickleHeap) {
    guard case .record(let index) = value,
      let parts = Self.parts(heap.records[index], heap),
      let extents = heap.sequence(parts.shape), extents.count <= StridedLayout.maximumRank,
      let byteCount = heap.byteCount(parts.bytes), let (type, bigEndian) = Self.elementType(parts.type, heap)
    else { return nil }
    shape = extents.compactMap { if case .int(let extent) = $0 { extent } else { nil } }
    guard shape.count == extents.count else { return nil }
    self.type = type
    self.bigEndian = bigEndian
    isFortran = parts.isFortran
    content = parts.bytes
    self.byteCount = byteCount
  }

  private typealias Parts = (shape: PickleValue, type: PickleValue, isFortran: Bool, bytes: PickleValue)

  private static func parts(_ record: PickleRecord, _ heap: PickleHeap) -> Parts? {
    switch heap.globals[record.type].canonicalText {
    case "numpy._core.multiarray._reconstruct":
      // The state is (version, shape, dtype, is Fortran order, bytes).
      guard let last = record.states.last, let state = heap.sequence(last), state.count == 5,
        case .bool(let isFortran) = state[3]
      else { return nil }
      return (state[1], state[2], isFortran, state[4])
    case "numpy._core.numeric._frombuffer":
      // Protocol 5: the arguments are (bytes, dtype, shape, order).
      guard let arguments = heap.sequence(record.arguments), arguments.count == 4,
        case .string(let order) = arguments[3]
      else { return nil }
      return (arguments[2], arguments[1], order == "F", arguments[0])
    default: return nil
    }
  }

  /// Parses a pickled dtype: dtype("f4", …) with the state (version, byte order, …).
  private static func elementType(_ value: PickleValue, _ heap: PickleHeap) -> (ElementType, bigEndian: Bool)? {
    guard case .record(let index) = value,
      heap.globals[heap.records[index].type].canonicalText == "numpy.dtype",
      case .string(let name)? = heap.sequence(heap.records[index].arguments)?.first,
      let last = heap.records[index].states.last, let state = heap.sequence(last), state.count >= 2,
      case .string(let order) = state[1], name.utf8.count + order.utf8.count <= 8
    else { return nil }
    return NPYHeader.elementType(order + name)
  }

  func tensor(named name: String, path: String, limit: inout ExpansionLimit) throws -> HostTensor {
    let elements = try elements(named: name, path: path, limit: &limit)
    return HostTensor(shape: shape, values: type.floats(in: elements, bigEndian: bigEndian))
  }

  /// The elements, row-major, still encoded.
  func elements(named name: String, path: String, limit: inout ExpansionLimit) throws -> ArraySlice<UInt8> {
    let place = "tensor \(quoted(name))"
    let count = HostTensor.elementCount(of: shape)
    guard let count, count == byteCount / type.size, byteCount % type.size == 0 else {
      throw FormatError(
        path: path, problem: "an array of shape \(describe(shape: shape)) does not fit its \(byteCount) bytes",
        location: place)
    }
    try limit.spend(count) { FormatError(path: path, problem: $0, location: place, remedy: $1) }
    let bytes = PickleHeap.bytes(content) ?? []
    guard isFortran else { return bytes[...] }
    let strides = StridedLayout.columnMajorStrides(shape)
    let layout = StridedLayout(shape: shape, strides: strides, offset: 0, count: count)
    return layout.gather(from: bytes[...], elementSize: type.size)
  }
}
