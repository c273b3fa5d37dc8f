/// A value of a pickle. What can hold other values is an index into the `PickleHeap`, so that structures may contain
/// themselves, and freeing a deeply nested one needs no recursion.
enum PickleValue {
  case none
  case bool(Bool)
  case int(Int)
  /// An integer beyond 64 bits; its value is not kept.
  case hugeInt
  case float(Double)
  case string(String)
  case bytes([UInt8])
  case list(Int)
  case tuple(Int)
  case set(Int)
  case dict(Int)
  case global(Int)
  case record(Int)
  case storage(Int)
  case tensor(Int)
}

/// Everything that a pickle's values refer to.
final class PickleHeap {
  /// Lists, tuples and sets.
  var sequences: [[PickleValue]] = []
  var dictionaries: [PickleDictionary] = []
  var globals: [PickleGlobal] = []
  var records: [PickleRecord] = []
  var storages: [TorchStorageID] = []
  var tensors: [PickledTensor] = []

  func newSequence(_ values: [PickleValue]) -> Int {
    sequences.append(values)
    return sequences.count - 1
  }

  func newDictionary() -> Int {
    dictionaries.append(PickleDictionary())
    return dictionaries.count - 1
  }

  func newRecord(_ record: PickleRecord) -> PickleValue {
    records.append(record)
    return .record(records.count - 1)
  }

  /// The members of a list, tuple or set.
  func sequence(_ value: PickleValue) -> [PickleValue]? {
    switch value {
    case .list(let index), .tuple(let index), .set(let index): sequences[index]
    default: nil
    }
  }

  /// The bytes of a byte string. Those of Python 2 that happen to be UTF-8 were taken for text.
  static func bytes(_ value: PickleValue) -> [UInt8]? {
    switch value {
    case .bytes(let bytes): bytes
    case .string(let text): Array(text.utf8)
    default: nil
    }
  }

  /// How many they are, without a copy.
  func byteCount(_ value: PickleValue) -> Int? {
    switch value {
    case .bytes(let bytes): bytes.count
    case .string(let text): text.utf8.count
    default: nil
    }
  }

  /// The entries of a dict, or those put into an instance of a class derived from it.
  func dictionary(_ value: PickleValue) -> PickleDictionary? {
    switch value {
    case .dict(let index): dictionaries[index]
    case .record(let index): records[index].items.map { dictionaries[$0] }
    default: nil
    }
  }

  /// An attribute of a record.
  func attribute(_ name: String, of index: Int) -> PickleValue? {
    for state in records[index].states.reversed() {
      if case .dict(let state) = state, let value = dictionaries[state][name] { return value }
      // Classes with __slots__ have a pair: the dict of attributes and the dict of slots.
      if case .tuple(let pair) = state, sequences[pair].count == 2 {
        for case .dict(let part) in sequences[pair] { if let value = dictionaries[part][name] { return value } }
      }
    }
    return nil
  }
}

/// The name of a class or function. It is never looked up.
struct PickleGlobal {
  let module: String
  let name: String

  var text: String { "\(module).\(name)" }
}

/// An instance of a class, inert: what class it names and what was handed to it.
struct PickleRecord {
  /// Index of the class in the heap's globals.
  let type: Int
  /// The arguments of the constructor.
  var arguments: PickleValue
  /// What BUILD handed over, oldest first.
  var states: [PickleValue] = []
  /// Index of the dict of entries, for classes derived from dict.
  var items: Int?
}

/// A dict of a pickle in the order of insertion. Keys that are neither text, integers nor booleans are kept but
/// cannot be looked up.
struct PickleDictionary {
  private(set) var keys: [PickleValue] = []
  private(set) var values: [PickleValue] = []
  private var indexByName: [Key: Int] = [:]
  private var indexByNumber: [Int: Int] = [:]

  var count: Int { keys.count }

  /// A text as Python compares it, by its code points and not by their meaning: two spellings of "é" are two keys.
  private struct Key: Hashable {
    let text: String

    static func == (first: Key, second: Key) -> Bool { first.text.utf8.elementsEqual(second.text.utf8) }

    func hash(into hasher: inout Hasher) {
      var text = text
      text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }

  subscript(name: String) -> PickleValue? { indexByName[Key(text: name)].map { values[$0] } }

  mutating func set(_ key: PickleValue, to value: PickleValue) {
    let known: Int?
    switch key {
    case .string(let name):
      let key = Key(text: name)
      known = indexByName[key]
      if known == nil { indexByName[key] = keys.count }
    case .int(let number):
      known = indexByNumber[number]
      if known == nil { indexByNumber[number] = keys.count }
    default: known = nil
    }
    if let known {
      values[known] = value
    } else {
      keys.append(key)
      values.append(value)
    }
  }
}

/// A storage that a pickle names: it lies beside the pickle in the archive.
struct TorchStorageID {
  /// The element type that its class stands for; nil where it is not read.
  let type: ElementType?
  /// The name of its class, for messages.
  let typeName: String
  let key: String
  /// Elements of the storage; bytes of an untyped one.
  let count: Int
}

/// A tensor as the pickle describes it, not yet checked against its storage.
struct PickledTensor {
  let storage: Int
  /// The element type if the storage is untyped.
  let type: ElementType?
  let offset: Int
  let shape: [Int]
  let strides: [Int]
}
