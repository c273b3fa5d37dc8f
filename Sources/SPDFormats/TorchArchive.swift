/// The remedy for unsupported element types, such as float8 and complex numbers.
let convertToFloat =
  "Convert it to float32: torch.save({k: v.float() for k, v in model.state_dict().items()}, …); "
  + "float16 to float64, bfloat16, integers and bool are read"

/// The zip archive of torch.save: a pickle, and one entry for every storage that it refers to.
struct TorchArchive {
  let archive: ZipArchive
  /// The top-level folder, with its trailing slash.
  private let root: String
  private let isBigEndian: Bool

  /// Returns nil where the archive has no `data.pkl`.
  init?(_ archive: ZipArchive) throws {
    let pickles = archive.entries.filter { entry in
      entry.name == "data.pkl" || entry.name.hasSuffix("/data.pkl") && entry.name.split(separator: "/").count == 2
    }
    guard let pickle = pickles.first else { return nil }
    let path = archive.path
    guard pickles.count == 1 else { throw FormatError(path: path, problem: "holds more than one data.pkl") }
    root = String(pickle.name.dropLast("data.pkl".count))
    guard archive.entry(named: root + "constants.pkl") == nil else {
      throw FormatError(
        path: path, problem: "is a TorchScript program, which is not read",
        remedy: "Load it with torch.jit.load and write its weights with torch.save(model.state_dict(), …)")
    }
    switch try archive.contents(of: root + "byteorder").map({ String(decoding: $0.prefix(16), as: UTF8.self) }) {
    case nil, "little": isBigEndian = false
    case "big": isBigEndian = true
    case .some(let other):
      throw FormatError(path: path, problem: "has the unknown byte order \(quoted(other))")
    }
    self.archive = archive
  }

  /// Reads the pickle: its value, the objects it refers to, and its size in bytes.
  func unpickled() throws -> (root: PickleValue, heap: PickleHeap, size: Int) {
    guard let bytes = try archive.contents(of: root + "data.pkl") else {
      preconditionFailure("an entry of the archive")
    }
    var machine = PickleMachine(bytes, path: archive.path, region: "data.pkl")
    return (try machine.run(), machine.heap, bytes.count)
  }

  /// The bytes of a storage, whose entry must have exactly its declared size.
  private func bytes(of storage: TorchStorageID, type: ElementType) throws -> ArraySlice<UInt8> {
    let name = root + "data/" + storage.key
    guard let bytes = try archive.contents(of: name) else {
      throw FormatError(
        path: archive.path, problem: "lacks the storage \(quoted(storage.key)) that a tensor needs",
        remedy: "Copy the file again")
    }
    let (size, overflow) = storage.count.multipliedReportingOverflow(by: type.size)
    guard !overflow, size == bytes.count else {
      throw FormatError(
        path: archive.path,
        problem: "a storage of \(storage.count) \(type.label) elements is declared, \(bytes.count) bytes are there",
        location: "zip entry \(quoted(name))", remedy: "Copy the file again")
    }
    return bytes
  }

  /// Reads the elements of a tensor, row-major.
  func tensor(
    _ tensor: PickledTensor, of heap: PickleHeap, named name: String, limit: inout ExpansionLimit
  ) throws -> HostTensor {
    func failure(_ problem: String, remedy: String? = nil) -> FormatError {
      FormatError(path: archive.path, problem: problem, location: "tensor \(quoted(name))", remedy: remedy)
    }
    let storage = heap.storages[tensor.storage]
    guard let storageType = storage.type else {
      throw failure(
        "\(quoted(storage.typeName)) is not read", remedy: convertToFloat)
    }
    let bytes = try bytes(of: storage, type: storageType)
    let type = tensor.type ?? storageType
    let layout: StridedLayout
    switch StridedLayout.checked(
      shape: tensor.shape, strides: tensor.strides, offset: tensor.offset, available: bytes.count / type.size)
    {
    case .success(let checked): layout = checked
    case .failure(let fault): throw failure("the tensor \(fault.text)")
    }
    try limit.spend(layout.count) { failure($0, remedy: $1) }
    let elements = layout.gather(from: bytes, elementSize: type.size)
    return HostTensor(shape: tensor.shape, values: type.floats(in: elements, bigEndian: isBigEndian))
  }

  /// The element type of a tensor; nil where its storage has an unknown type.
  static func elementType(of tensor: PickledTensor, in heap: PickleHeap) -> ElementType? {
    tensor.type ?? heap.storages[tensor.storage].type
  }
}
