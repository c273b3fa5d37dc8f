/// The constructors that a pickle may call. Every result is built here; no name from the pickle is ever resolved.
extension PickleMachine {
  /// REDUCE: calls `function`, which must be one of the constructors below.
  mutating func call(_ function: PickleValue, _ arguments: PickleValue) throws -> PickleValue {
    guard case .global(let index) = function else {
      throw reader.error("the pickle is damaged: it calls what is not a name")
    }
    guard case .tuple(let tuple) = arguments else {
      throw reader.error("the pickle is damaged: the arguments of a call are no tuple")
    }
    return try construct(index, heap.sequences[tuple], arguments)
  }

  private mutating func construct(
    _ global: Int, _ arguments: [PickleValue], _ argumentTuple: PickleValue
  ) throws -> PickleValue {
    let name = heap.globals[global].canonicalText
    switch name {
    case "collections.OrderedDict", "builtins.dict": return try newDictionary(arguments.first)
    case "collections.defaultdict": return try newDictionary(arguments.dropFirst().first)
    case "collections.Counter": return try newDictionary(arguments.first)
    case "builtins.set", "builtins.frozenset": return .set(sequenceIndex(arguments.first))
    case "builtins.list": return .list(sequenceIndex(arguments.first))
    case "builtins.tuple", "torch.Size": return .tuple(sequenceIndex(arguments.first))
    case "_codecs.encode": return try encodedText(arguments)
    case "builtins.bytes", "builtins.bytearray":
      if case .bytes(let bytes)? = arguments.first { return .bytes(bytes) }
      return arguments.isEmpty ? .bytes([]) : try encodedText(arguments)
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
      guard case .tensor(let index)? = arguments.first else { throw badArguments(name) }
      return .tensor(index)
    case "torch._tensor._rebuild_from_type_v2":
      // (function, type, arguments, state): a tensor of a subclass, or with attributes, which are irrelevant here.
      guard arguments.count >= 3, case .global(let inner) = arguments[0], case .tuple(let tuple) = arguments[2],
        heap.globals[inner].canonicalText.hasPrefix("torch._utils._rebuild_")
      else { throw badArguments(name) }
      return try construct(inner, heap.sequences[tuple], arguments[2])
    case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3":
      return try rebuiltTensor(arguments, isTyped: !name.hasSuffix("3"), name)
    case "copyreg._reconstructor", "copyreg.__newobj__":
      guard let type = arguments.first else { throw badArguments(name) }
      return try newInstance(of: type, argumentTuple)
    default:
      guard heap.globals[global].isInertConstructor else { throw refusal(name) }
      return heap.newRecord(PickleRecord(type: global, arguments: argumentTuple))
    }
  }

  private func refusal(_ name: String) -> FormatError {
    reader.error(
      "the pickle would call \(quoted(name).dropFirst().dropLast()); refused: spdc never executes a pickle",
      remedy: "If you trust the file, load it with torch and save model.state_dict(), or use safetensors")
  }

  private func badArguments(_ name: String) -> FormatError {
    reader.error("the pickle is damaged: \(name) has arguments of the wrong kind")
  }

  /// NEWOBJ: makes an inert instance of any class.
  mutating func newInstance(of type: PickleValue, _ arguments: PickleValue) throws -> PickleValue {
    guard case .global(let index) = type else {
      throw reader.error("the pickle is damaged: it makes an instance of what is no class")
    }
    switch heap.globals[index].canonicalText {
    case "collections.OrderedDict", "builtins.dict", "collections.defaultdict": return .dict(heap.newDictionary())
    default: return heap.newRecord(PickleRecord(type: index, arguments: arguments))
    }
  }

  /// BUILD: gives `state` to an object. Attributes of plain containers and tensors are irrelevant here.
  mutating func build(_ object: PickleValue, _ state: PickleValue) throws {
    switch object {
    case .record(let index): heap.records[index].states.append(state)
    case .dict, .list, .set, .tensor: break
    default: throw reader.error("the pickle is damaged: it hands a state to what is no object")
    }
  }

  // MARK: Containers

  /// Counts elements or bytes that an instruction processes beyond those it carries.
  mutating func spendCopies(_ count: Int) throws {
    copiesLeft -= count
    if copiesLeft < 0 { throw reader.error("the pickle handles the same data again and again; refused") }
  }

  /// Makes a dict from nothing, from pairs, or from a dict, which is then shared.
  private mutating func newDictionary(_ content: PickleValue?) throws -> PickleValue {
    if case .dict(let index)? = content { return .dict(index) }
    let dictionary = heap.newDictionary()
    guard let content, let pairs = heap.sequence(content) else { return .dict(dictionary) }
    try spendCopies(pairs.count)
    for pair in pairs {
      guard let pair = heap.sequence(pair), pair.count == 2 else { throw badArguments("dict") }
      try setItem(pair[0], to: pair[1], in: dictionary)
    }
    return .dict(dictionary)
  }

  /// The members of the container that a new container is built from, shared and not copied.
  private mutating func sequenceIndex(_ content: PickleValue?) -> Int {
    switch content {
    case .list(let index)?, .tuple(let index)?, .set(let index)?: index
    default: heap.newSequence([])
    }
  }

  /// Decodes bytes that protocol 2 wrote as text with the same character codes.
  private mutating func encodedText(_ arguments: [PickleValue]) throws -> PickleValue {
    guard arguments.count == 2, case .string(let text) = arguments[0], case .string(let encoding) = arguments[1],
      ["latin1", "latin-1"].contains(encoding)
    else { throw badArguments("_codecs.encode") }
    try spendCopies(text.utf8.count)
    let bytes = text.unicodeScalars.compactMap { UInt8(exactly: $0.value) }
    guard bytes.count == text.unicodeScalars.count else { throw badArguments("_codecs.encode") }
    return .bytes(bytes)
  }

  // MARK: Tensors

  /// Resolves ("storage", class, key, location, size) to a storage in the archive.
  mutating func storage(_ id: PickleValue) throws -> PickleValue {
    guard let parts = heap.sequence(id), parts.count >= 5, case .string("storage") = parts[0],
      case .global(let type) = parts[1], case .string(let key) = parts[2], key.utf8.count <= Self.longestName,
      case .int(let count) = parts[4], count >= 0
    else { throw reader.error("the pickle is damaged: it names something that is no storage") }
    let name = heap.globals[type]
    let elementType = name.module.hasPrefix("torch") ? ElementType(torchStorage: name.name) : nil
    heap.storages.append(TorchStorageID(type: elementType, typeName: name.text, key: key, count: count))
    return .storage(heap.storages.count - 1)
  }

  /// Rebuilds a tensor from (storage, offset, shape, strides, …); the third version has the element type at index 6.
  private mutating func rebuiltTensor(
    _ arguments: [PickleValue], isTyped: Bool, _ name: String
  ) throws -> PickleValue {
    guard arguments.count >= (isTyped ? 4 : 7), case .storage(let storage) = arguments[0],
      case .int(let offset) = arguments[1], let shape = sizes(arguments[2]), let strides = sizes(arguments[3])
    else { throw badArguments(name) }
    var type: ElementType?
    if !isTyped {
      guard case .global(let index) = arguments[6] else { throw badArguments(name) }
      let dtype = heap.globals[index]
      type = dtype.module == "torch" ? ElementType(torchType: dtype.name) : nil
      guard type != nil else {
        throw reader.error("element type \(quoted(dtype.text)) is not read", remedy: convertToFloat)
      }
    }
    try spendCopies(shape.count + strides.count)
    heap.tensors.append(PickledTensor(storage: storage, type: type, offset: offset, shape: shape, strides: strides))
    return .tensor(heap.tensors.count - 1)
  }

  /// Parses a tuple of integers, with no more members than a tensor has axes.
  private func sizes(_ value: PickleValue) -> [Int]? {
    guard let values = heap.sequence(value), values.count <= StridedLayout.maximumRank else { return nil }
    let sizes = values.compactMap { if case .int(let size) = $0 { size } else { nil } }
    return sizes.count == values.count ? sizes : nil
  }
}

extension PickleGlobal {
  /// The name with current module names in place of those of Python 2 and of numpy before 2.
  var canonicalText: String {
    switch module {
    case "__builtin__": "builtins.\(name)"
    case "copy_reg": "copyreg.\(name)"
    case "numpy.core.multiarray": "numpy._core.multiarray.\(name)"
    case "numpy.core.numeric": "numpy._core.numeric.\(name)"
    default: text
    }
  }

  /// Whether calls of this name are kept as inert records: they occur beside weights, and nothing reads them.
  var isInertConstructor: Bool {
    switch canonicalText {
    case "torch.device", "torch.Generator", "torch.serialization._get_layout": true
    case "numpy.dtype", "numpy._core.multiarray._reconstruct", "numpy._core.multiarray.scalar": true
    case "numpy._core.numeric._frombuffer": true
    case "types.SimpleNamespace", "functools.partial", "builtins.complex", "builtins.slice", "builtins.range",
      "uuid.UUID":
      true
    case "datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta", "datetime.timezone": true
    default: (module == "pathlib" || module.hasPrefix("pathlib.")) && name.hasSuffix("Path")
    }
  }
}

extension ElementType {
  /// Maps a torch storage class to its element type; an untyped storage counts bytes.
  init?(torchStorage name: String) {
    switch name {
    case "DoubleStorage": self = .float64
    case "FloatStorage": self = .float32
    case "HalfStorage": self = .float16
    case "BFloat16Storage": self = .bfloat16
    case "LongStorage": self = .int64
    case "IntStorage": self = .int32
    case "ShortStorage": self = .int16
    case "CharStorage": self = .int8
    case "ByteStorage", "UntypedStorage": self = .uint8
    case "BoolStorage": self = .bool
    default: return nil
    }
  }

  /// Maps a torch dtype to its element type.
  init?(torchType name: String) {
    switch name {
    case "float64": self = .float64
    case "float32": self = .float32
    case "float16": self = .float16
    case "bfloat16": self = .bfloat16
    case "int64": self = .int64
    case "int32": self = .int32
    case "int16": self = .int16
    case "int8": self = .int8
    case "uint64": self = .uint64
    case "uint32": self = .uint32
    case "uint16": self = .uint16
    case "uint8": self = .uint8
    case "bool": self = .bool
    default: return nil
    }
  }
}
