/// Interprets a pickle, protocol 2 to 5, without executing anything that it names.
///
/// Functions are called only where `PickleConstructors` builds their result; every other call is an error that names
/// it.
/// Instances of classes become inert records. Memory is bounded by the number of instructions and the length of the
/// pickle: every instruction allocates only a fixed amount beyond the bytes it carries.
struct PickleMachine {
  let heap = PickleHeap()
  var reader: ByteReader
  private var stack: [PickleValue] = []
  /// Stack heights at each MARK.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  /// Number of elements and bytes that instructions may still process beyond those they carry. A pickle that repeatedly
  /// copies a large container, or hashes a long text, would otherwise take quadratic time and memory.
  var copiesLeft: Int

  /// Maximum number of instructions. A whole pickled YOLOv5 has some ten thousand; each may cost about a hundred
  /// bytes.
  static let maximumInstructions = 8_000_000
  /// Maximum length of the name of a module, a class or a storage, in bytes.
  static let longestName = 1024
  /// Keys up to this length are not charged: they cost no more than the instruction that refers to them.
  private static let usualKey = 64

  init(_ bytes: ArraySlice<UInt8>, path: String, region: String) {
    reader = ByteReader(bytes, path: path, region: region)
    copiesLeft = bytes.count * 4 + 65_536
  }

  /// Returns the value that the pickle describes.
  mutating func run() throws -> PickleValue {
    guard reader.peek == PickleOpcode.proto.rawValue else { throw reader.error("is not a pickle of protocol 2 to 5") }
    for _ in 0..<Self.maximumInstructions {
      let start = reader.offset
      let code = try reader.integer(UInt8.self, for: "the next instruction")
      guard let opcode = PickleOpcode(rawValue: code) else {
        throw reader.error("the pickle uses the unsupported instruction 0x\(String(code, radix: 16))", at: start)
      }
      if opcode == .stop { return try pop() }
      try execute(opcode)
    }
    throw reader.error(
      "the pickle has more than \(Self.maximumInstructions) instructions",
      remedy: "Save the state dict alone: torch.save(model.state_dict(), …)")
  }

  private mutating func execute(_ opcode: PickleOpcode) throws {
    switch opcode {
    case .proto:
      let version = try reader.integer(UInt8.self, for: "protocol version")
      guard (2...5).contains(version) else { throw reader.error("has pickle protocol \(version); 2 to 5 are read") }
    case .frame: _ = try reader.size64(for: "frame size")
    case .mark: marks.append(stack.count)
    case .pop: if stack.count == (marks.last ?? 0), !marks.isEmpty { marks.removeLast() } else { _ = try pop() }
    case .popMark: _ = try popToMark()
    case .dup: push(try top())
    case .binGet, .longBinGet, .binPut, .longBinPut, .memoize: try useMemo(opcode)
    case .none: push(.none)
    case .newTrue: push(.bool(true))
    case .newFalse: push(.bool(false))
    case .binInt, .binInt1, .binInt2, .long1, .long4, .binFloat: push(try number(opcode))
    case .shortBinUnicode, .binUnicode, .binUnicode8: push(.string(try text(opcode)))
    case .shortBinString, .binString: push(try byteString(opcode))
    case .shortBinBytes, .binBytes, .binBytes8, .byteArray8: push(.bytes(Array(try payload(opcode))))
    case .emptyTuple: push(.tuple(heap.newSequence([])))
    case .tuple1: try makeTuple(of: 1)
    case .tuple2: try makeTuple(of: 2)
    case .tuple3: try makeTuple(of: 3)
    case .tuple: push(.tuple(heap.newSequence(try popToMark())))
    case .emptyList: push(.list(heap.newSequence([])))
    case .emptySet: push(.set(heap.newSequence([])))
    case .emptyDict: push(.dict(heap.newDictionary()))
    case .frozenSet: push(.set(heap.newSequence(try popToMark())))
    case .append: try add([try pop()])
    case .appends, .addItems: try add(try popToMark())
    case .setItem:
      let value = try pop()
      try setItems([try pop(), value])
    case .setItems: try setItems(try popToMark())
    case .global:
      let module = String(decoding: try reader.line(for: "a module name"), as: UTF8.self)
      try pushGlobal(module, String(decoding: try reader.line(for: "a class name"), as: UTF8.self))
    case .stackGlobal:
      guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
        throw reader.error("the pickle names a class by something that is not text")
      }
      try pushGlobal(module, name)
    case .reduce:
      let arguments = try pop()
      push(try call(try pop(), arguments))
    case .newObject:
      let arguments = try pop()
      push(try newInstance(of: try pop(), arguments))
    case .newObjectKeywords:
      _ = try pop()
      let arguments = try pop()
      push(try newInstance(of: try pop(), arguments))
    case .build:
      let state = try pop()
      try build(try top(), state)
    case .binPersistentID: push(try storage(try pop()))
    case .stop: break
    }
  }

  // MARK: The stack

  private mutating func push(_ value: PickleValue) { stack.append(value) }

  private func top() throws -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.last else { throw underflow }
    return value
  }

  private mutating func pop() throws -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.popLast() else { throw underflow }
    return value
  }

  private mutating func popToMark() throws -> [PickleValue] {
    guard let mark = marks.popLast() else { throw underflow }
    let values = Array(stack[mark...])
    stack.removeLast(values.count)
    return values
  }

  private var underflow: FormatError { reader.error("the pickle is damaged: an instruction finds no operand") }

  // MARK: The memo

  private mutating func useMemo(_ opcode: PickleOpcode) throws {
    switch opcode {
    case .binPut: memo[Int(try reader.integer(UInt8.self, for: "memo index"))] = try top()
    case .longBinPut: memo[Int(try reader.integer(UInt32.self, for: "memo index"))] = try top()
    case .memoize: memo[memo.count] = try top()
    default:
      let index =
        opcode == .binGet
        ? Int(try reader.integer(UInt8.self, for: "memo index"))
        : Int(try reader.integer(UInt32.self, for: "memo index"))
      guard let value = memo[index] else { throw reader.error("the pickle is damaged: it has no memo \(index)") }
      push(value)
    }
  }

  // MARK: Scalars

  private mutating func number(_ opcode: PickleOpcode) throws -> PickleValue {
    switch opcode {
    case .binInt: return .int(Int(try reader.integer(Int32.self, for: "an integer")))
    case .binInt1: return .int(Int(try reader.integer(UInt8.self, for: "an integer")))
    case .binInt2: return .int(Int(try reader.integer(UInt16.self, for: "an integer")))
    case .binFloat:
      // The only big-endian number of the format.
      let bits = try reader.integer(UInt64.self, for: "a number").byteSwapped
      return .float(Double(bitPattern: bits))
    default:
      let count =
        opcode == .long1
        ? Int(try reader.integer(UInt8.self, for: "an integer's length"))
        : Int(try reader.integer(UInt32.self, for: "an integer's length"))
      let bytes = try reader.take(count, for: "an integer")
      guard count <= 8 else { return .hugeInt }
      // Two's complement, least significant byte first; the sign is that of the last byte.
      var value = (bytes.last ?? 0) >= 0x80 ? -1 : 0
      for byte in bytes.reversed() { value = value << 8 | Int(byte) }
      return .int(value)
    }
  }

  /// Reads the payload of a text or bytes instruction, after its length.
  private mutating func payload(_ opcode: PickleOpcode) throws -> ArraySlice<UInt8> {
    let count: Int
    switch opcode {
    case .shortBinUnicode, .shortBinBytes, .shortBinString:
      count = Int(try reader.integer(UInt8.self, for: "a length"))
    case .binUnicode8, .binBytes8, .byteArray8: count = try reader.size64(for: "a length")
    default: count = Int(try reader.integer(UInt32.self, for: "a length"))
    }
    return try reader.take(count, for: "text")
  }

  private mutating func text(_ opcode: PickleOpcode) throws -> String {
    // Python may write lone surrogates, which are not UTF-8; they occur only in file names, so they are replaced.
    String(decoding: try payload(opcode), as: UTF8.self)
  }

  /// Reads a `str` of Python 2, which is text or raw bytes: numpy arrays are such strings. Text keeps its exact bytes
  /// as its UTF-8 view, so nothing is lost either way.
  private mutating func byteString(_ opcode: PickleOpcode) throws -> PickleValue {
    let bytes = try payload(opcode)
    if let text = String(validating: bytes, as: UTF8.self) { return .string(text) }
    return .bytes(Array(bytes))
  }

  // MARK: Containers

  private mutating func makeTuple(of count: Int) throws {
    guard stack.count - (marks.last ?? 0) >= count else { throw underflow }
    let values = Array(stack.suffix(count))
    stack.removeLast(count)
    push(.tuple(heap.newSequence(values)))
  }

  /// Appends to the list or set on top of the stack.
  private mutating func add(_ values: [PickleValue]) throws {
    switch try top() {
    case .list(let index), .set(let index): heap.sequences[index] += values
    case .record: break  // a class derived from list: nothing that is read needs its elements
    default: throw reader.error("the pickle is damaged: it appends to what is no list")
    }
  }

  /// Inserts alternating keys and values into the dict on top of the stack.
  private mutating func setItems(_ items: [PickleValue]) throws {
    guard items.count % 2 == 0 else { throw reader.error("the pickle is damaged: a key has no value") }
    let dictionary: Int
    switch try top() {
    case .dict(let index): dictionary = index
    case .record(let index):
      dictionary = heap.records[index].items ?? heap.newDictionary()
      heap.records[index].items = dictionary
    default: throw reader.error("the pickle is damaged: it puts items into what is no dict")
    }
    for index in stride(from: 0, to: items.count, by: 2) {
      try setItem(items[index], to: items[index + 1], in: dictionary)
    }
  }

  /// Inserts one entry into a dict. The key is hashed, and a long one may be referred to repeatedly.
  mutating func setItem(_ key: PickleValue, to value: PickleValue, in dictionary: Int) throws {
    if case .string(let name) = key, name.utf8.count > Self.usualKey { try spendCopies(name.utf8.count) }
    heap.dictionaries[dictionary].set(key, to: value)
  }

  private mutating func pushGlobal(_ module: String, _ name: String) throws {
    guard module.utf8.count <= Self.longestName, name.utf8.count <= Self.longestName else {
      throw reader.error("the pickle is damaged: it names a class by more than \(Self.longestName) bytes")
    }
    heap.globals.append(PickleGlobal(module: module, name: name))
    push(.global(heap.globals.count - 1))
  }
}
