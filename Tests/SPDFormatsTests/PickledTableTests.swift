import Testing

@testable import SPDFormats

/// Dicts of plain values, written as Python 2 and Python 3 write them.
struct PickledTableTests {
  private static func table(_ body: (Pickle) -> Pickle) throws -> PickledTable {
    try PickledTable(Pickle().dict(body).end, path: "t")
  }

  /// `str` of Python 2: SHORT_BINSTRING.
  private static func byteString(_ bytes: [UInt8]) -> [UInt8] { [0x55, UInt8(bytes.count)] + bytes }

  /// A numpy array of the state (1, shape, dtype, isFortran, data).
  private static func array(
    _ pickle: Pickle, shape: [Int32], type: String = "u1", fortran: Bool = false, data: [UInt8]
  ) -> Pickle {
    pickle.call("numpy.core.multiarray", "_reconstruct") { $0.global("numpy", "ndarray") }
      .tuple { state in
        state.int(1).tuple { shape.reduce($0) { $0.int($1) } }
          .call("numpy", "dtype") { $0.text(type) }.tuple { $0.int(3).text("|") }.op("b")
          .raw([fortran ? 0x88 : 0x89]).raw(data)
      }.op("b")
  }

  @Test func readsListsAndTexts() throws {
    let table = try Self.table {
      $0.text("labels").op("]").op("(").int(3).int(-1).op("e")
        .raw(Self.byteString(Array("names".utf8))).op("]").op("(").text("é").raw(Self.byteString([0x61])).op("e")
        .int(5).op("N")
    }
    #expect(table.keys == ["labels", "names"])
    #expect(try table.integers("labels") == [3, -1])
    #expect(try table.texts("names") == ["é", "a"])
  }

  @Test func keysOfBytesAreRead() throws {
    #expect(try Self.table { $0.raw([0x43, 1, 0x6b]).op("]").op("(").int(1).op("e") }.integers("k") == [1])
  }

  @Test func arraysOfPython2KeepEveryByte() throws {
    // Not UTF-8, and by chance UTF-8.
    for data: [UInt8] in [[0xff, 0, 0x80, 1, 2, 3], Array("abcdé".utf8)] {
      let table = try Self.table { Self.array($0.text("d"), shape: [2, 3], data: Self.byteString(data)) }
      let (shape, elements) = try table.bytes("d")
      #expect(shape == [2, 3])
      #expect(Array(elements) == data)
    }
  }

  @Test func columnMajorArraysBecomeRowMajor() throws {
    let table = try Self.table {
      Self.array($0.text("d"), shape: [2, 3], fortran: true, data: [0x43, 6, 0, 3, 1, 4, 2, 5])
    }
    #expect(Array(try table.bytes("d").elements) == [0, 1, 2, 3, 4, 5])
  }

  /// As `pickle.dumps({'data': array, 'labels': [0, 1]}, protocol=5)` of numpy 2 and 1 writes it.
  @Test(
    arguments: [("C", [0, 1, 2, 3, 4, 5]), ("F", [0, 2, 4, 1, 3, 5])] as [(String, [UInt8])],
    ["numpy._core", "numpy.core"])
  func arraysOfProtocol5(_ layout: (order: String, expected: [UInt8]), _ module: String) throws {
    let (order, expected) = layout
    let bytes: [UInt8] =
      [0x80, 5] + Array("}\u{94}(".unicodeScalars.map { UInt8($0.value) }) + Self.short("data")
      + Self.short(module + ".numeric") + Self.short("_frombuffer") + [0x93, 0x28, 0x96, 6, 0, 0, 0, 0, 0, 0, 0]
      + [0, 1, 2, 3, 4, 5] + Self.short("numpy") + Self.short("dtype") + [0x93] + Self.short("u1")
      + [0x89, 0x88, 0x87, 0x52, 0x28, 0x4b, 3] + Self.short("|") + Array("NNN".utf8)
      + [0x4a, 0xff, 0xff, 0xff, 0xff, 0x4a, 0xff, 0xff, 0xff, 0xff, 0x4b, 0, 0x74, 0x62]
      + [0x4b, 2, 0x4b, 3, 0x86] + Self.short(order) + [0x74, 0x52] + Self.short("labels")
      + [0x5d, 0x28, 0x4b, 0, 0x4b, 1, 0x65, 0x75, 0x2e]
    let table = try PickledTable(bytes, path: "t")
    let (shape, elements) = try table.bytes("data")
    #expect(shape == [2, 3] && Array(elements) == expected)
    #expect(try table.integers("labels") == [0, 1])
  }

  private static func short(_ text: String) -> [UInt8] { [0x8c, UInt8(text.utf8.count)] + Array(text.utf8) }

  @Test func everyMessage() throws {
    let table = try Self.table {
      Self.array($0.text("short"), shape: [2, 3], data: Self.byteString([1]))
        .text("mixed").op("]").op("(").int(1).op("N").op("e").text("number").int(1)
    }
    #expect(
      message { _ = try table.bytes("short") } == "t: an array of shape 2×3 does not fit its 1 bytes (tensor \"short\")"
    )
    #expect(message { _ = try table.integers("mixed") } == "t: the entry \"mixed\" of the dict is no list of integers")
    #expect(
      message { _ = try table.texts("number") }
        == "t: the entry \"number\" of the dict is no list of texts of at most 1024 bytes")
    #expect(message { _ = try table.bytes("mixed") } == "t: the entry \"mixed\" of the dict is no numpy array of uint8")
    #expect(
      message { _ = try table.integers("labels") }
        == "t: the dict has no entry \"labels\", only \"short\", \"mixed\", \"number\"")
    #expect(message { _ = try PickledTable(Pickle().op("N").end, path: "t") } == "t: the pickle holds no dict")
    #expect(message { _ = try Self.table { $0 }.texts("a") }?.hasSuffix("only none with a name") == true)
    #expect(
      message { _ = try PickledTable(Pickle().call("os", "system") { $0.text("true") }.end, path: "t") }?
        .contains("the pickle would call os.system; refused") == true)
  }
}
