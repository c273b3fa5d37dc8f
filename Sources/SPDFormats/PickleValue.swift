/// A value of a pickle. A container is an index into the `PickleHeap`, so that structures may contain themselves, and
/// freeing a deeply nested one needs no recursion.
enum PickleValue {
  case none
  case bool(Bool)
  case int(Int)
  /// An integer beyond 64 bits; its value is discarded.
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

/// Owns everything that a pickle's values refer to.
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

  /// The bytes of a byte string. A byte string of Python 2 that happens to be UTF-8 is stored as text.
  static func bytes(_ value: PickleValue) -> [UInt8]? {
    switch value {
    case .bytes(let bytes): bytes
    case .string(let text): Array(text.utf8)
    default: nil
    }
  }

  /// The length of a byte string, without a copy.
  func byteCount(_ value: PickleValue) -> Int? {
    switch value {
    case .bytes(let bytes): bytes.count
    case .string(let text): text.utf8.count
    default: nil
    }
  }

  /// The entries of a dict, or of an instance of a dict subclass.
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
      // The state of a class with __slots__ is a pair: the dict of attributes and the dict of slots.
      if case .tuple(let pair) = state, sequences[pair].count == 2 {
        for case .dict(let part) in sequences[pair] { if let value = dictionaries[part][name] { return value } }
      }
    }
    return nil
  }
}

/// The name of a class or function. It is never resolved.
struct PickleGlobal {
  let module: String
  let name: String

  var text: String { "\(module).\(name)" }
}

/// An inert instance of a class: the class's name, the arguments and the state.
struct PickleRecord {
  /// Index of the class in the heap's globals.
  let type: Int
  /// The arguments of the constructor.
  var arguments: PickleValue
  /// The states that BUILD instructions gave it, oldest first.
  var states: [PickleValue] = []
  /// Index of the dict of entries, for dict subclasses.
  var items: Int?
}

/// A dict of a pickle in insertion order. Keys other than text, integers and booleans are kept but cannot be looked
/// up.
struct PickleDictionary {
  private(set) var keys: [PickleValue] = []
  private(set) var values: [PickleValue] = []
  private var indexByName: [Key: Int] = [:]
  private var indexByNumber: [Int: Int] = [:]

  var count: Int { keys.count }

  /// A text compared by code points, as in Python: two spellings of "é" are two keys.
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

/// A reference from a pickle to a storage, which is another entry of the archive.
struct TorchStorageID {
  /// The element type of its class; nil if unsupported.
  let type: ElementType?
  /// The class name, for messages.
  let typeName: String
  let key: String
  /// Number of elements of the storage; of bytes if untyped.
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
